package baseimage_test

import (
	"testing"

	"github.com/drydockhq/drydock"
)

const (
	succeeded = drydock.RunSucceeded
	failed    = drydock.RunFailed
)

// app makes a task that is built from base.
func (s *site) app(name string) {
	s.t.Helper()
	s.task(name, drydock.RuntimeImages)
	s.learn(name, built{image: name, digest: name + "0", from: "base"})
}

func TestPushMakesDue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.push("base", "a")
	s.push("base:2", "b") // another tag
	s.settle()
	s.want("app")

	s.push("base", "b")
	s.settle()
	s.settle()
	run := s.want("app", "Queued base:a→b")[0]
	if cause := s.causeOf(run); cause.Event == 0 || cause.Time.IsZero() || cause.By == "" {
		t.Errorf("the cause is %+v", cause)
	}
	s.end(run, succeeded, built{image: "app", digest: "app1", from: "base"})
	s.settle()
	s.want("app", "Succeeded base:a→b")

	s.push("base", "a") // there and back again
	s.settle()
	s.end(s.last("app"), succeeded, built{image: "app", digest: "app2", from: "base"})
	s.settle()
	s.want("app", "Succeeded base:a→b", "Succeeded base:b→a")
}

// Whatever the status of the newest run, it is what counts.
func TestFailedRunIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, builds := range map[string][]built{
		"after it resolved the base": {{from: "base"}},
		"before":                     nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.push("base", "a")
			s.app("app")
			s.push("base", "b")
			s.settle()
			s.end(s.last("app"), failed, builds...)
			s.settle()
			s.settle()
			s.want("app", "Failed base:a→b")
			s.push("base", "c")
			s.settle()
			s.want("app", "Failed base:a→b", "Queued base:b→c")
		})
	}
}

func TestPushDuringRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from string // what the run resolved
		want []string
	}{
		"the run has the old one": {"base=b", []string{"Succeeded base:a→b", "Queued base:b→c"}},
		"the run has the new one": {"base=c", []string{"Succeeded base:a→b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.push("base", "a")
			s.app("app")
			s.push("base", "b")
			s.settle()
			run := s.begin(s.last("app"))
			s.push("base", "c")
			s.settle()
			s.want("app", "Running base:a→b")
			s.end(run, succeeded, built{from: c.from})
			s.settle()
			s.want("app", c.want...)
		})
	}
}

// A run that has ended is not overtaken before what it resolved is known.
func TestEndThatNobodyReadYet(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.push("base", "b")
	s.settle()
	run := s.begin(s.last("app"))
	s.push("base", "c")
	s.follow()
	s.end(run, succeeded, built{from: "base"})
	s.must(s.evaluator.Evaluate(t.Context())) // between the two events
	s.want("app", "Succeeded base:a→b")
	s.settle()
	s.want("app", "Succeeded base:a→b")
}

func TestPushesCoalesce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("other", "x")
	s.task("app", drydock.AllImages)
	s.learn("app", built{image: "app", digest: "app0", from: "base", buildtime: []string{"other"}})
	for _, word := range []string{"b", "c", "d"} {
		s.push("base", word)
		s.settle()
	}
	s.push("other", "y")
	s.settle()
	run := s.want("app", "Queued base:a→d other:x→y")[0]
	update := parse(t, run).Image
	if len(update.Images) != 2 || update.Images[0].Digest != digest("d") || update.Images[1].Type != drydock.BuildTimeBase {
		t.Errorf("the trigger is %+v", update)
	}
	s.end(run, succeeded, built{from: "base", buildtime: []string{"other"}})
	s.settle()
	s.want("app", "Succeeded base:a→d other:x→y")
}

func TestManualRunCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	waiting := s.manual("app")
	s.push("base", "b")
	s.settle()
	s.want("app") // the one that waits will see to it
	if cause := s.causeOf(waiting); len(cause.Image) != 1 || cause.Image[0].Digest != digest("b") {
		t.Errorf("the cause of the run that waits is %+v", cause)
	}
	s.end(waiting, failed)
	s.settle()
	s.want("app")

	// One for something else than the task's own says nothing of the task.
	altered, err := s.store.CreateRun(t.Context(), drydock.RunRecord{Registry: registryID("own"), Task: "app", Altered: true})
	s.must(err)
	s.push("base", "c")
	s.settle()
	s.want("app", "Queued base:b→c")
	s.end(altered, succeeded, built{from: "third/other=x"})
	s.settle()
	s.push("base", "d")
	s.settle()
	s.want("app", "Queued base:b→d")
}

func TestRuntimeAndAll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("tool", "x")
	for name, kind := range map[string]drydock.BaseImageTriggerType{"one": drydock.RuntimeImages, "all": drydock.AllImages, "none": ""} {
		s.task(name, kind)
		s.learn(name, built{from: "base", buildtime: []string{"tool"}})
	}
	s.push("tool", "y")
	s.settle()
	s.want("one")
	s.want("all", "Queued tool:x→y")
	s.want("none")
	s.push("base", "b")
	s.settle()
	s.want("one", "Queued base:a→b")
	s.want("all", "Queued tool:x→y base:a→b")
	s.want("none")
	// What a run brings of images that don't count is not due when they do.
	s.end(s.last("one"), succeeded, built{from: "base", buildtime: []string{"tool"}})
	s.task("one", drydock.AllImages)
	s.settle()
	s.want("one", "Succeeded base:a→b")
}

func TestRebasedTask(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("new", "x")
	s.app("app")
	s.learn("app", built{from: "new"})
	s.push("base", "b")
	s.settle()
	s.want("app")
	s.push("new", "y")
	s.settle()
	s.want("app", "Queued new:x→y")
}

// A run that was overtaken by a newer one says nothing any more.
func TestOvertakenRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("new", "x")
	s.app("app")
	older := s.begin(s.manual("app"))
	s.push("base", "b")
	newer := s.manual("app")
	s.end(newer, succeeded, built{from: "new"})
	s.settle()
	s.end(older, succeeded, built{from: "base=a"})
	s.settle()
	s.push("base", "c")
	s.settle()
	s.want("app")

	// One that ends first says what the set is, and nothing of its digests.
	older = s.begin(s.manual("app"))
	s.push("base", "d")
	s.settle()
	newer = s.begin(s.manual("app"))
	s.end(older, succeeded, built{from: "base=c"})
	s.settle()
	s.want("app")
	s.end(newer, succeeded, built{from: "base"})
	s.settle()
	s.want("app")
}

func TestDisabledAndPaused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	triggers := s.tasks.triggers[taskID("app").Key()]
	word := "a"
	for _, c := range []struct {
		name    string
		off, on func()
		event   string
		subject drydock.ResourceID
	}{
		{"the task", func() { triggers.Enabled = false }, func() { triggers.Enabled = true }, drydock.TaskChangedEvent, taskID("app")},
		{"the trigger", func() { triggers.BaseImage.Enabled = false }, func() { triggers.BaseImage.Enabled = true }, drydock.TaskChangedEvent, taskID("app")},
		{"the registry", func() { triggers.Paused = true }, func() { triggers.Paused = false }, drydock.TriggersChangedEvent, registryID("own")},
	} {
		before := len(s.runs("app"))
		c.off()
		s.tell(c.event, c.subject)
		word += "'"
		s.push("base", word)
		s.settle()
		if n := len(s.runs("app")) - before; n != 0 {
			t.Errorf("%s is off: %d runs", c.name, n)
		}
		c.on()
		s.tell(c.event, c.subject)
		s.settle()
		if n := len(s.runs("app")) - before; n != 1 {
			t.Errorf("%s is on again: %d runs", c.name, n)
		}
		s.end(s.last("app"), succeeded, built{from: "base"})
		s.settle()
	}
}

func TestDeletedTag(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.untag("base")
	s.settle()
	s.push("base", "a")
	s.settle()
	s.want("app")
	ref := drydock.ArtifactRef{Registry: registryID("own"), Repository: "base", Reference: digest("a")}
	s.must(s.store.DeleteManifest(t.Context(), ref, drydock.Actor{}))
	s.settle()
	s.want("app")
	s.push("base", "b")
	s.settle()
	s.want("app", "Queued base:a→b")

	// Deleted before anybody looked: nothing to build on.
	s.end(s.last("app"), succeeded, built{from: "base"})
	s.push("base", "c")
	s.untag("base")
	s.settle()
	s.want("app", "Succeeded base:a→b")
}

func TestDeletions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.task("team/app", drydock.RuntimeImages)
	s.learn("team/app", built{from: "base"})
	s.must(s.store.DeleteResource(t.Context(), taskID("app")))
	s.tell(drydock.TaskChangedEvent, taskID("app"))
	s.push("base", "b")
	s.settle()
	if n := len(s.runs("app")); n != 0 {
		t.Errorf("a task that is gone has %d runs", n)
	}
	s.want("team/app", "Queued base:a→b")
	run := s.begin(s.last("team/app"))
	s.end(run, succeeded, built{from: "base"})
	s.push("base", "c")
	s.must(s.store.DeleteResource(t.Context(), registryID("team")))
	s.tell(drydock.TriggersChangedEvent, registryID("team"))
	s.settle()
	s.must(s.store.DeleteResource(t.Context(), registryID("own"))) // with the base itself
	s.settle()
}

// A task that can't be run holds up nobody.
func TestTaskThatCannotRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.app("bad")
	s.app("gone")
	s.tasks.broken[taskID("bad").Key()] = drydock.Errorf(drydock.Invalid, "no agent")
	s.tasks.broken[taskID("gone").Key()] = drydock.Errorf(drydock.NotFound, "gone")
	s.push("base", "b")
	s.settle()
	s.settle()
	s.want("app", "Queued base:a→b")
	s.want("bad")
	delete(s.tasks.broken, taskID("bad").Key())
	s.restart()
	s.settle()
	s.want("bad", "Queued base:a→b")
}
