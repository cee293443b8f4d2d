package baseimage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/dispatch"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// domain is what the hosts of the registries of a site end with.
const domain = ".azurecr.test:8443"

// site is a store with registries and tasks, whose runs tests carry out by hand.
// Images are written as REGISTRY/NAME:TAG without the domain, and as NAME with
// the tag 1 in the registry own; digests as words.
type site struct {
	t         testing.TB
	store     *sqlstore.Store
	follower  *baseimage.Follower
	evaluator *baseimage.Evaluator
	armer     *baseimage.Armer
	consumer  *dispatch.Consumer
	tasks     *tasks
	surveys   map[string]drydock.BuildSurvey // by the keys of tasks; others can't be read
	surveyed  []string                       // tasks
	mu        sync.Mutex
	doubted   []drydock.ImageName
	changed   bool
}

var group = id("/subscriptions/0000/resourceGroups/docks")

func id(s string) drydock.ResourceID {
	id, err := drydock.ParseResourceID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func registryID(name string) drydock.ResourceID {
	return id(group.String() + "/providers/Microsoft.ContainerRegistry/registries/" + name)
}

// taskID returns the id of REGISTRY/TASK, or of a task of the registry own.
func taskID(name string) drydock.ResourceID {
	registry, task, ok := strings.Cut(name, "/")
	if !ok {
		registry, task = "own", name
	}
	return registryID(registry).Child("tasks", task)
}

func newSite(t testing.TB) *site {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &site{t: t, store: store, surveys: map[string]drydock.BuildSurvey{}}
	s.tasks = &tasks{site: s, triggers: map[string]*drydock.TaskTriggers{}, definitions: map[string]string{}, broken: map[string]error{}}
	s.restart()
	s.put(group)
	for _, name := range []string{"own", "team", "third"} {
		s.put(registryID(name))
	}
	return s
}

func (s *site) viewer() drydock.TaskImagesViewer { return baseimage.Viewer{Store: s.store} }

// restart makes the parts anew, as a new start of the server does.
func (s *site) restart() {
	log := slog.New(slog.NewTextHandler(s.t.Output(), nil))
	s.follower = &baseimage.Follower{
		Store: s.store, Tasks: s.tasks, Hosts: hosts{s},
		Changed: func() { s.changed = true },
		Doubt:   func(images ...drydock.ImageName) { s.doubted = append(s.doubted, images...) },
	}
	s.evaluator = &baseimage.Evaluator{
		Store: s.store, Tasks: s.tasks, Created: func(...drydock.RunRecord) {}, Log: log, NewID: uuid.NewString,
		Manifests: manifests{s},
	}
	s.armer = &baseimage.Armer{
		Store: s.store, Tasks: s.tasks, Hosts: hosts{s}, Survey: surveyor{s}, Armed: func() {}, Log: log, Now: time.Now,
	}
	s.consumer = &dispatch.Consumer{
		Name: "base-images", Events: s.store, Store: s.store, Handle: s.follower.Handle, Handled: s.follower.Handled,
		Created: func(...drydock.RunRecord) {}, Log: log,
	}
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) put(id drydock.ResourceID) {
	s.t.Helper()
	_, err := s.store.PutResource(s.t.Context(), drydock.Resource{ID: id}, "")
	s.must(err)
}

// follow handles all events.
func (s *site) follow() {
	s.t.Helper()
	for {
		more, err := s.consumer.Next(s.t.Context())
		s.must(err)
		if !more {
			return
		}
	}
}

// settle handles all events, reads the tasks that changed and makes the runs that
// are to be made.
func (s *site) settle() {
	s.t.Helper()
	s.follow()
	s.must(s.armer.Arm(s.t.Context()))
	s.must(s.evaluator.Evaluate(s.t.Context()))
}

// task creates or changes a task of a trigger type; empty for no trigger.
func (s *site) task(name string, kind drydock.BaseImageTriggerType) {
	s.t.Helper()
	task := taskID(name)
	t := &drydock.TaskTriggers{Task: task, Enabled: true}
	if kind != "" {
		t.BaseImage = &drydock.BaseImageTrigger{Name: "base", Enabled: true, Type: kind}
	}
	s.tasks.triggers[task.Key()] = t
	s.put(task)
	s.tell(drydock.TaskChangedEvent, task)
}

func (s *site) tell(kind string, subject drydock.ResourceID) {
	s.t.Helper()
	_, err := s.store.AppendEvent(s.t.Context(), drydock.Event{ID: uuid.NewString(), Kind: kind, Subject: subject, Time: time.Now()})
	s.must(err)
}

// digest returns a digest for a word.
func digest(word string) string { return "sha256:" + fmt.Sprintf("%064x", word) }

// word returns what digest made a digest from.
func word(digest string) string {
	var text []byte
	if _, err := fmt.Sscanf(strings.TrimLeft(strings.TrimPrefix(digest, "sha256:"), "0"), "%x", &text); err != nil {
		return digest
	}
	return string(text)
}

// image returns the name of an image.
func image(name string) drydock.ImageName {
	if !strings.Contains(name, "/") {
		name = "own/" + name
	}
	if !strings.Contains(name, ":") {
		name += ":1"
	}
	registry, rest, _ := strings.Cut(name, "/")
	if !strings.Contains(registry, ".") {
		registry += domain
	}
	n, err := drydock.ParseImageName(registry + "/" + rest)
	if err != nil {
		panic(err)
	}
	return n
}

// short is the opposite of image.
func short(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.Replace(name, domain, "", 1), "own/"), ":1")
}

// push pushes an image, as a run if one is given.
func (s *site) push(name, word string, by ...drydock.RunRecord) {
	s.t.Helper()
	n := image(name)
	actor := drydock.Actor{ID: "somebody"}
	if len(by) > 0 {
		actor.Run = by[0].Registry.Child("runs", by[0].ID)
	}
	registry, _, err := hosts{s}.Registry(s.t.Context(), n.Registry)
	s.must(err)
	s.must(s.store.PutManifest(s.t.Context(), drydock.Manifest{
		Registry: registry, Repository: n.Repository, Digest: digest(word), MediaType: "application/x", Content: []byte(word),
	}, []string{n.Tag}, actor))
}

func (s *site) untag(name string) {
	s.t.Helper()
	n := image(name)
	ref := drydock.ArtifactRef{Registry: registryID("own"), Repository: n.Repository, Reference: n.Tag}
	s.must(s.store.DeleteTag(s.t.Context(), ref, drydock.Actor{ID: "somebody"}))
}

// poll says what a poll has found in a registry that is not the server's.
func (s *site) poll(name, word string) {
	s.t.Helper()
	n := image(name)
	change := drydock.ImageChange{Registry: n.Registry, Repository: n.Repository, Tag: n.Tag}
	if word != "" {
		change.Digest = digest(word)
	}
	data, err := json.Marshal(change)
	s.must(err)
	_, err = s.store.AppendEvent(s.t.Context(), drydock.Event{ID: uuid.NewString(), Kind: drydock.ImageEvent, Data: data, Time: time.Now()})
	s.must(err)
}

// manual queues a run that somebody asked for.
func (s *site) manual(name string) drydock.RunRecord {
	s.t.Helper()
	task := taskID(name)
	r, err := s.store.CreateRun(s.t.Context(), drydock.RunRecord{Registry: task.Parent(), Task: task.Name(), Created: time.Now()})
	s.must(err)
	return r
}

// begin takes a queued run to Running.
func (s *site) begin(r drydock.RunRecord) drydock.RunRecord {
	s.t.Helper()
	for _, to := range []drydock.RunStatus{drydock.RunStarted, drydock.RunRunning} {
		var err error
		r, err = queue.Transition(s.t.Context(), s.store, r.Registry, r.ID, r.Status, to, func(*drydock.RunRecord) error { return nil })
		s.must(err)
	}
	return r
}

// built is what a build was made from: bases and buildtime images as IMAGE or
// IMAGE=DIGEST, that digest instead of what the tag points at now.
type built struct {
	image, digest string // pushed; empty for none
	from          string
	buildtime     []string
}

// end ends a run as its builds went: their images are pushed, and in its result.
func (s *site) end(r drydock.RunRecord, status drydock.RunStatus, builds ...built) drydock.RunRecord {
	s.t.Helper()
	return s.endAs(r, status, nil, builds...)
}

// endDeclared lets a run fail that was to be built from some images.
func (s *site) endDeclared(r drydock.RunRecord, declared []string, builds ...built) drydock.RunRecord {
	s.t.Helper()
	return s.endAs(r, drydock.RunFailed, declared, builds...)
}

func (s *site) endAs(r drydock.RunRecord, status drydock.RunStatus, declared []string, builds ...built) drydock.RunRecord {
	s.t.Helper()
	if r.Status == drydock.RunQueued {
		r = s.begin(r)
	}
	var result struct {
		Dependencies []drydock.ImageDependencies `json:"dependencies"`
		OutputImages []drydock.ImageReference    `json:"outputImages"`
		Declared     any                         `json:"declaredBases,omitempty"`
	}
	if declared != nil {
		var images []any
		for _, name := range declared {
			images = append(images, map[string]string{"image": image(name).String(), "kind": "Runtime"})
		}
		result.Declared = map[string]any{"images": images, "complete": true}
	}
	for _, b := range builds {
		d := drydock.ImageDependencies{}
		if b.from != "" {
			ref := s.resolve(b.from)
			d.Runtime = &ref
		}
		for _, name := range b.buildtime {
			d.Buildtime = append(d.Buildtime, s.resolve(name))
		}
		if b.image != "" {
			if b.digest != "" {
				s.push(b.image, b.digest, r)
			}
			ref := s.resolve(b.image)
			d.Image = &ref
			result.OutputImages = append(result.OutputImages, ref)
		}
		result.Dependencies = append(result.Dependencies, d)
	}
	text, err := json.Marshal(result)
	s.must(err)
	r, err = queue.Transition(s.t.Context(), s.store, r.Registry, r.ID, drydock.RunRunning, status, func(r *drydock.RunRecord) error {
		r.Result, r.Finished = text, time.Now()
		return nil
	})
	s.must(err)
	return r
}

// resolve returns what a name means to a build just now.
func (s *site) resolve(name string) drydock.ImageReference {
	s.t.Helper()
	name, fixed, _ := strings.Cut(name, "=")
	n := image(name)
	ref := n.Reference()
	if fixed != "" {
		ref.Digest = digest(fixed)
		return ref
	}
	registry, _, err := hosts{s}.Registry(s.t.Context(), n.Registry)
	s.must(err)
	tags, err := s.store.Tags(s.t.Context(), drydock.TagFilter{Registry: registry, Repository: n.Repository, Name: n.Tag, Hidden: true})
	s.must(err)
	if len(tags) > 0 {
		ref.Digest = tags[0].Digest
	}
	return ref
}

// learn runs a task by hand to its end, so that it is known what it is built
// from.
func (s *site) learn(name string, builds ...built) {
	s.t.Helper()
	s.end(s.manual(name), drydock.RunSucceeded, builds...)
	s.settle()
}

// runs returns the runs of a task that image updates have made, oldest first.
func (s *site) runs(name string) []drydock.RunRecord {
	s.t.Helper()
	task := taskID(name)
	all, err := s.store.Runs(s.t.Context(), drydock.RunFilter{Registry: task.Parent(), Tasks: []string{task.Name()}})
	s.must(err)
	slices.Reverse(all)
	return slices.DeleteFunc(all, func(r drydock.RunRecord) bool { return r.Batch == "" })
}

// causeOf returns the cause of a run.
func (s *site) causeOf(r drydock.RunRecord) drydock.RunCause {
	s.t.Helper()
	r, err := s.store.Run(s.t.Context(), r.Registry, r.ID)
	s.must(err)
	var t struct{ Cause drydock.RunCause }
	if len(r.Trigger) > 0 {
		s.must(json.Unmarshal(r.Trigger, &t))
	}
	return t.Cause
}

// want checks the runs of a task that image updates have made: a text for each,
// the status and the changes, as "Queued base:old→new tool:a→b".
func (s *site) want(task string, want ...string) []drydock.RunRecord {
	s.t.Helper()
	runs := s.runs(task)
	var got []string
	for _, r := range runs {
		text := string(r.Status)
		for _, i := range s.causeOf(r).Image {
			text += " " + short(i.Image) + ":" + word(i.Previous) + "→" + word(i.Digest)
		}
		got = append(got, text)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("the runs of %s are\n\t%s\nwant\n\t%s", task, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	return runs
}

// last returns the newest run of a task.
func (s *site) last(task string) drydock.RunRecord {
	s.t.Helper()
	runs := s.runs(task)
	if len(runs) == 0 {
		s.t.Fatalf("%s has no run because of an image update", task)
	}
	return runs[len(runs)-1]
}

// tasks is what the resource manager knows of tasks.
type tasks struct {
	site        *site
	triggers    map[string]*drydock.TaskTriggers
	definitions map[string]string
	broken      map[string]error // of TaskRuns
}

// Triggers implements baseimage.Tasks.
func (t *tasks) Triggers(ctx context.Context, task drydock.ResourceID) (drydock.TaskTriggers, error) {
	found := t.triggers[task.Key()]
	if _, err := t.site.store.Resource(ctx, task); err != nil {
		return drydock.TaskTriggers{}, err
	}
	return *found, nil
}

// TaskRuns implements baseimage.Tasks.
func (t *tasks) TaskRuns(ctx context.Context, ids []drydock.ResourceID) ([]drydock.RunRecord, []error, error) {
	records, refused := make([]drydock.RunRecord, len(ids)), make([]error, len(ids))
	for i, id := range ids {
		records[i], refused[i] = t.taskRun(ctx, id)
	}
	return records, refused, nil
}

func (t *tasks) taskRun(ctx context.Context, task drydock.ResourceID) (drydock.RunRecord, error) {
	triggers, err := t.Triggers(ctx, task)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	if err := t.broken[task.Key()]; err != nil {
		return drydock.RunRecord{}, err
	}
	if !triggers.Enabled {
		return drydock.RunRecord{}, drydock.Errorf(drydock.Conflict, "the task is disabled")
	}
	return drydock.RunRecord{
		Registry: task.Parent(), Task: task.Name(), Type: drydock.AutoBuild, Created: time.Now(),
		Request: []byte(t.definitions[task.Key()]),
	}, nil
}

// manifests reads those of the site's registries.
type manifests struct{ *site }

// Manifest implements baseimage.Manifests.
func (m manifests) Manifest(ctx context.Context, image drydock.ImageName, digest string) ([]byte, error) {
	registry, ours, err := hosts(m).Registry(ctx, image.Registry)
	if err != nil || !ours {
		return nil, drydock.Errorf(drydock.Unavailable, "not here")
	}
	found, err := m.store.Manifest(ctx, drydock.ArtifactRef{Registry: registry, Repository: image.Repository, Reference: digest})
	return found.Content, err
}

// surveyor reads what the site says.
type surveyor struct{ *site }

// Survey implements baseimage.Surveyor.
func (s surveyor) Survey(_ context.Context, r drydock.RunRecord, skip func(drydock.ImageName) bool) (drydock.BuildSurvey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.surveyed = append(s.surveyed, r.Task)
	survey, ok := s.surveys[r.Registry.Child("tasks", r.Task).Key()]
	if !ok {
		return survey, drydock.Errorf(drydock.Unavailable, "the source can't be fetched")
	}
	for i := range survey.Bases {
		if b := &survey.Bases[i]; skip(b.Image) {
			b.Digest, b.Err = "", nil
		}
	}
	return survey, nil
}

// hosts knows the registries of a site.
type hosts struct{ *site }

// Host implements baseimage.Hosts.
func (hosts) Host(registry drydock.ResourceID) string { return registry.Name() + domain }

// Registry implements baseimage.Hosts.
func (h hosts) Registry(ctx context.Context, host string) (drydock.ResourceID, bool, error) {
	name, ours := strings.CutSuffix(host, domain)
	if !ours {
		return drydock.ResourceID{}, false, nil
	}
	_, err := h.store.Resource(ctx, registryID(name))
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.ResourceID{}, false, nil
	}
	return registryID(name), err == nil, err
}
