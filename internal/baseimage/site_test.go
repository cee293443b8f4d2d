package baseimage_test

import (
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
	hangs     func(task string) bool         // its git host accepts and never answers
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
