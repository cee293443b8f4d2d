package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// jumper is a daemon whose clock is set by the test, with a task for each way in
// which runs start by themselves. All runs fail: what was seen counts.
type jumper struct {
	*daemon
	t        *testing.T
	off      atomic.Int64 // nanoseconds by which the clock is wrong
	registry drydock.ResourceID
	hub      *registry.Registry
	folder   string // of the git repository
	repo     string // its URL
	changes  int    // of each that can change, so far
}

// fails is a task that is built from what its Dockerfile says, if it got there.
const fails = `
version: v1.1.0
steps:
- cmd: bash false
  env: [FAKE_STATUS=1]
- build: -t never:1 .
`

// minute is one that the clock passes when it jumps by an hour and not otherwise.
func (j *jumper) minute() int { return (time.Now().UTC().Minute() + 30) % 60 }

func newJumper(t *testing.T) *jumper {
	t.Helper()
	j := &jumper{t: t, hub: registry.Start(t, registry.Options{}), folder: filepath.Join(t.TempDir(), "repo")}
	c, _, err := config.Load(config.Sources{Flags: map[string][]string{
		"data": {filepath.Join(t.TempDir(), "data")}, "listen": {"127.0.0.1:0"}, "sources-allow": {"127.0.0.0/8"},
		"triggers-poll": {j.hub.Host + "=1s"}, "sources-poll": {"1s"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.environ = []string{"PATH=" + os.Getenv("PATH")} // git is there
	b.now = func() time.Time { return time.Now().Round(0).Add(time.Duration(j.off.Load())) }
	b.open = func(context.Context, engineOptions) (executor, error) { return surveying{b.executor}, nil }
	if j.daemon, err = b.openDaemon(t.Context(), c, slog.New(slog.NewJSONHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))); err != nil {
		t.Fatal(err)
	}
	j.daemon.serving(t)
	j.makeTasks()
	return j
}

// surveying is a fake executor that reads the first line of Dockerfiles, which
// says FROM.
type surveying struct{ *fakeExecutor }

var _ engine.Surveyor = surveying{}

// Bases implements engine.Surveyor.
func (surveying) Bases(_ context.Context, dockerfile []byte, _ engine.Build) ([]drydock.BaseImage, error) {
	from := strings.TrimSpace(strings.TrimPrefix(string(dockerfile), "FROM "))
	if from == "scratch" {
		return nil, nil
	}
	image, err := drydock.ParseImageName(from)
	return []drydock.BaseImage{{Image: image, Kind: drydock.RuntimeBase}}, err
}

// Digest implements engine.Surveyor.
func (surveying) Digest(ctx context.Context, image drydock.ImageName, _ []drydock.Credential) (string, error) {
	ref, err := name.ParseReference(image.String())
	if err != nil {
		return "", err
	}
	found, err := remote.Head(ref, remote.WithContext(ctx))
	if err != nil {
		return "", err
	}
	return found.Digest.String(), nil
}

func (j *jumper) makeTasks() {
	j.t.Helper()
	address := j.listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		j.t.Fatal(err)
	}
	a := (&serve.Server{
		Addr: address, Port: port, Domain: j.names.domain, CA: j.caPEM,
		Tenant: j.authority.Tenant(), ClientID: j.admin.AppID, Secret: j.admin.Secret,
	}).On(j.t).Azure()
	login := a.CreateRegistry("contoso")
	j.registry = drydock.ResourceID{
		Subscription: j.subscription, Group: serve.Group, Namespace: "Microsoft.ContainerRegistry",
		Types: []string{"registries"}, Names: []string{"contoso"},
	}
	j.makeRepository(map[string]string{"own": "FROM " + login + "/base:1\n", "away": "FROM " + j.hub.Host + "/base:1\n", "commits": "FROM scratch\n", "timed": "FROM scratch\n"})
	j.change()
	for task, trigger := range map[string]*armcontainerregistry.TriggerProperties{
		"own": {BaseImageTrigger: base()}, "away": {BaseImageTrigger: base()},
		"commits": {SourceTriggers: []*armcontainerregistry.SourceTrigger{{
			Name: to.Ptr("source"), SourceTriggerEvents: []*armcontainerregistry.SourceTriggerEvent{to.Ptr(armcontainerregistry.SourceTriggerEventCommit)},
			SourceRepository: &armcontainerregistry.SourceProperties{SourceControlType: to.Ptr(armcontainerregistry.SourceControlTypeGithub), RepositoryURL: &j.repo},
		}}},
		"timed": {TimerTriggers: []*armcontainerregistry.TimerTrigger{{
			Name: to.Ptr("hourly"), Schedule: to.Ptr(fmt.Sprintf("%d * * * *", j.minute())),
		}}},
	} {
		poller, err := a.Tasks.BeginCreate(j.t.Context(), serve.Group, "contoso", task, armcontainerregistry.Task{
			Location: to.Ptr("here"),
			Properties: &armcontainerregistry.TaskProperties{
				Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
				Step: &armcontainerregistry.FileTaskStep{
					Type: to.Ptr(armcontainerregistry.StepTypeFileTask), ContextPath: to.Ptr(j.repo + "#trunk:" + task),
					TaskFilePath: to.Ptr("acr-task.yaml"),
				},
				Trigger: trigger,
			},
		}, nil)
		if err == nil {
			_, err = poller.PollUntilDone(j.t.Context(), nil)
		}
		if err != nil {
			j.t.Fatal(err)
		}
	}
	j.wait("the tasks are not armed", j.armed)
}

func base() *armcontainerregistry.BaseImageTrigger {
	return &armcontainerregistry.BaseImageTrigger{Name: to.Ptr("base"), BaseImageTriggerType: to.Ptr(armcontainerregistry.BaseImageTriggerTypeRuntime)}
}

// armed reports whether everything that may change is watched.
func (j *jumper) armed(ctx context.Context) (bool, error) {
	known, err := j.store.TaskImages(ctx, j.registry.Child("tasks", "own"), j.registry.Child("tasks", "away"))
	if err != nil {
		return false, err
	}
	for _, k := range known {
		if len(k.Bases) != 1 || k.Bases[0].Digest == "" {
			return false, nil
		}
	}
	watches, err := j.store.SourceWatches(ctx, drydock.ResourceID{})
	if err != nil || len(watches) != 1 || watches[0].Looked.IsZero() {
		return false, err
	}
	timers, err := j.store.Timers(ctx, drydock.ResourceID{})
	return len(timers) == 1, err
}

// wait waits until something is so.
func (j *jumper) wait(what string, so func(ctx context.Context) (bool, error)) {
	j.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		ok, err := so(j.t.Context())
		if err != nil {
			j.t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(deadline) {
			j.t.Fatal(what)
		}
	}
}

func (j *jumper) git(args ...string) {
	j.t.Helper()
	cmd := exec.Command("git", append([]string{"-C", j.folder, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		j.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (j *jumper) makeRepository(dockerfiles map[string]string) {
	j.t.Helper()
	for dir, text := range dockerfiles {
		if err := os.MkdirAll(filepath.Join(j.folder, dir), 0o755); err != nil {
			j.t.Fatal(err)
		}
		for name, text := range map[string]string{"Dockerfile": text, "acr-task.yaml": fails} {
			if err := os.WriteFile(filepath.Join(j.folder, dir, name), []byte(text), 0o644); err != nil {
				j.t.Fatal(err)
			}
		}
	}
	j.git("init", "-q", "-b", "trunk")
	j.git("add", ".")
	handler, err := serve.GitHandler(filepath.Dir(j.folder))
	if err != nil {
		j.t.Fatal(err)
	}
	host := httptest.NewServer(handler)
	j.t.Cleanup(host.Close)
	j.repo = host.URL + "/repo/.git"
}

// change changes everything that can change: both bases and the repository.
func (j *jumper) change() {
	j.t.Helper()
	j.changes++
	content := []byte(fmt.Sprint("change ", j.changes))
	err := j.store.PutManifest(j.t.Context(), drydock.Manifest{
		Registry: j.registry, Repository: "base", Digest: fmt.Sprintf("sha256:%064x", j.changes), MediaType: "application/x", Content: content,
	}, []string{"1"}, drydock.Actor{ID: "somebody"})
	if err != nil {
		j.t.Fatal(err)
	}
	img, err := random.Image(16, 1)
	if err != nil {
		j.t.Fatal(err)
	}
	ref, err := name.ParseReference(j.hub.Host + "/base:1")
	if err != nil {
		j.t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithContext(j.t.Context())); err != nil {
		j.t.Fatal(err)
	}
	j.git("commit", "-q", "--allow-empty", "-m", string(content))
}

// runs returns why a task was run and has ended, oldest first.
func (j *jumper) runs(ctx context.Context, task string) ([]string, error) {
	all, err := j.store.Runs(ctx, drydock.RunFilter{Registry: j.registry, Tasks: []string{task}})
	if err != nil {
		return nil, err
	}
	var why []string
	for _, r := range slices.Backward(all) {
		t, err := drydock.ParseRunTrigger(r.Trigger)
		switch {
		case !r.Status.Ended(): // it may take in more
		case err != nil:
			return nil, err
		case t.Image != nil:
			why = append(why, t.Image.Images[0].Digest)
		case t.Source != nil:
			why = append(why, t.Source.CommitID)
		case t.Timer != nil:
			why = append(why, t.Timer.Occurrence)
		default:
			why = append(why, "nothing")
		}
	}
	return why, nil
}

// settled waits until each task has run once for each change but the first, which
// was before it was made, and none twice for the same.
func (j *jumper) settled(when string) {
	j.t.Helper()
	for _, task := range []string{"own", "away", "commits"} {
		var got []string
		j.wait(fmt.Sprintf("%s, of %d changes too few have run %s", when, j.changes-1, task), func(ctx context.Context) (_ bool, err error) {
			got, err = j.runs(ctx, task)
			return len(got) >= j.changes-1, err
		})
		j.once(when, task, got)
		if len(got) != j.changes-1 {
			j.t.Errorf("%s, %s has %d runs for %d changes: %q", when, task, len(got), j.changes-1, got)
		}
	}
}

// once fails the test if a task was run twice for the same.
func (j *jumper) once(when, task string, why []string) {
	j.t.Helper()
	slices.Sort(why)
	if n := len(slices.Compact(slices.Clone(why))); n != len(why) {
		j.t.Errorf("%s, %s has run twice for the same: %q", when, task, why)
	}
}

// A clock that jumps by an hour, forth and back, loses no push, no commit and no
// tick, and starts nothing twice: neither for what happened just before it did,
// nor after it.
func TestClockJumpsUnderTriggers(t *testing.T) {
	t.Parallel()
	j := newJumper(t)
	passed := j.now().UTC().Truncate(time.Minute) // and a while more
	for passed.Minute() != j.minute() {
		passed = passed.Add(time.Minute)
	}
	tick := passed.Format(time.RFC3339)
	for _, off := range []time.Duration{0, time.Hour, 0, -time.Hour, 0, time.Hour} {
		when := fmt.Sprintf("with a clock that is %s ahead", off)
		j.change()
		j.off.Store(int64(off))
		j.settled(when + ", of what happened before")
		j.change()
		j.settled(when)
		if off > 0 {
			j.wait(when+", there is no tick", func(ctx context.Context) (bool, error) {
				ticks, err := j.runs(ctx, "timed")
				j.once(when, "timed", ticks)
				return slices.Contains(ticks, tick), err
			})
		}
	}
	ticks, err := j.runs(t.Context(), "timed")
	if err != nil {
		t.Fatal(err)
	}
	j.once("at the end", "timed", ticks)
	if got := strings.Count(strings.Join(ticks, " "), tick); got != 1 {
		t.Errorf("at the end, the ticks are %q", ticks)
	}
}
