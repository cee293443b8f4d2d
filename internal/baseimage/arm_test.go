package baseimage_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// base is a surveyed base, IMAGE or IMAGE=DIGEST.
func base(name string, err error) drydock.SurveyedBase {
	name, word, _ := strings.Cut(name, "=")
	b := drydock.SurveyedBase{BaseImage: drydock.BaseImage{Image: image(name), Kind: drydock.RuntimeBase}, Err: err}
	if word != "" {
		b.Digest = digest(word)
	}
	return b
}

// define creates or changes a task that reads as a survey says.
func (s *site) define(task, definition string, survey drydock.BuildSurvey) {
	s.t.Helper()
	s.surveys[taskID(task).Key()] = survey
	s.tasks.definitions[taskID(task).Key()] = definition
	s.task(task, drydock.RuntimeImages)
}

func surveyOf(bases ...drydock.SurveyedBase) drydock.BuildSurvey {
	return drydock.BuildSurvey{Bases: bases}
}

func TestArmedBeforeTheFirstRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.define("own", "1", surveyOf(base("base", nil)))
	s.define("other", "1", surveyOf(base(hub+"=a", nil)))
	s.define("early", "1", surveyOf(base("later", nil), base("registry.example/later", drydock.Errorf(drydock.NotFound, "none"))))
	s.define("pinned", "1", surveyOf(base("base:1@"+digest("a"), nil)))
	s.settle()
	for _, task := range []string{"own", "other", "early", "pinned"} {
		s.want(task)
	}
	if view := s.view("pinned"); len(view.Bases) != 1 || !strings.Contains(view.Bases[0].Note, "pinned") {
		t.Errorf("the view of what is pinned is %+v", view)
	}
	s.push("base", "b")
	s.poll(hub, "a")
	s.push("later", "x")
	s.settle()
	s.want("own", "Queued base:a→b")
	s.want("other")
	s.want("early", "Queued later:→x")
	s.want("pinned")
	s.poll(hub, "b")
	s.poll("registry.example/later", "y")
	s.settle()
	s.want("other", "Queued "+hub+":a→b")
	s.want("early", "Queued later:→x registry.example/later:→y")
}

// An app that was only created waits for a middle that was only created.
func TestCascadeOfArmedTasks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("middle", "m0")
	middle := surveyOf(base("base", nil))
	middle.Outputs = []drydock.ImageName{image("middle")}
	s.define("middle", "1", middle)
	s.define("app", "1", surveyOf(base("middle", nil), base("base", nil)))
	s.settle()
	s.push("base", "b")
	s.settle()
	s.want("app")
	s.end(s.last("middle"), succeeded, built{image: "middle", digest: "m1", from: "base"})
	s.settle()
	s.want("app", "Queued base:a→b middle:m0→m1")
}

func TestChangedDefinition(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("new", "x")
	s.define("app", "1", surveyOf(base("base", nil)))
	s.learn("app", built{from: "base"})
	older := s.begin(s.manual("app"))

	// From the change on, pushes to the old base start nothing.
	s.define("app", "2", surveyOf(base("new", nil)))
	s.push("base", "b")
	s.follow()
	s.must(s.evaluator.Evaluate(t.Context())) // before it was read
	s.settle()
	s.want("app")
	s.end(older, succeeded, built{from: "base=a"}) // of what the task was before
	s.push("base", "c")
	s.settle()
	s.want("app")
	s.push("new", "y")
	s.settle()
	s.want("app", "Queued new:x→y")
}

// What does not change what is built is not read again.
func TestReadOncePerDefinition(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.define("app", "1", surveyOf(base("base", nil)))
	s.settle()
	s.task("app", drydock.AllImages)
	s.settle()
	s.define("app", "2", surveyOf(base("base", nil)))
	s.define("app", "3", surveyOf(base("base", nil)))
	s.settle()
	s.settle()
	if want := []string{"app", "app"}; !slices.Equal(s.surveyed, want) {
		t.Errorf("read were %v, want %v", s.surveyed, want)
	}
	// A task that can't be run can't be read, and holds up nobody.
	s.tasks.broken[taskID("bad").Key()] = drydock.Errorf(drydock.Invalid, "no agent")
	s.define("bad", "1", surveyOf())
	s.settle()
	if s.view("bad").Known.Reading {
		t.Error("it is read all the time")
	}
}

func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.task("app", drydock.RuntimeImages)
	s.settle()
	known := s.view("app").Known
	if !strings.Contains(known.Problem, "can't be fetched") || known.Armed.IsZero() || known.Reading {
		t.Fatalf("known is %+v", known)
	}
	// It is tried again after a while, and when the task changes.
	s.settle()
	if len(s.surveyed) != 1 {
		t.Errorf("read were %v", s.surveyed)
	}
	s.armer.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	survey := surveyOf(
		base("base", nil),
		base("registry.example/secret", drydock.Errorf(drydock.Denied, "no credentials")),
		base("registry.example/slow", drydock.Errorf(drydock.Unavailable, "no answer")))
	survey.Unknown = []string{"step one: its context is not part of the source"}
	s.surveys[taskID("app").Key()] = survey
	s.settle()
	known = s.view("app").Known
	for _, want := range []string{"step one", "secret:1: no credentials", "slow:1: no answer"} {
		if !strings.Contains(known.Problem, want) {
			t.Errorf("the problem is %q, without %q", known.Problem, want)
		}
	}
	var names []string
	for _, b := range known.Bases {
		names = append(names, short(b.Image.String()))
	}
	if want := []string{"base", "registry.example/slow"}; !slices.Equal(names, want) {
		t.Errorf("watched are %v, want %v", names, want)
	}
	s.poll("registry.example/slow", "z") // the first that anybody hears of it
	s.settle()
	s.want("app")
	s.poll("registry.example/slow", "zz")
	s.push("base", "b")
	s.settle()
	s.want("app", "Queued registry.example/slow:z→zz base:a→b")
	// A run knows better.
	s.end(s.last("app"), succeeded, built{from: "base"})
	s.settle()
	if known = s.view("app").Known; known.Problem != "" || len(known.Bases) != 1 || known.Learnt == 0 {
		t.Errorf("after a run known is %+v", known)
	}
}

// A task that is deleted while it is read leaves nothing behind.
func TestDeletedWhileRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.define("app", "1", surveyOf(base("base", nil)))
	s.follow()
	s.must(s.store.DeleteResource(t.Context(), taskID("app")))
	s.settle()
	known, err := s.store.RegistryImages(t.Context(), drydock.ResourceID{})
	s.must(err)
	if len(known) != 0 {
		t.Errorf("known is %+v", known)
	}
}

// A run that fails half way through keeps what it would have been built from.
func TestFailedRunDeclaresItsBases(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, name := range []string{"first", "second", "third", "old"} {
		s.push(name, name+"0")
	}
	s.task("app", drydock.RuntimeImages)
	s.learn("app", built{from: "first"}, built{from: "second"}, built{from: "old"})
	run := s.begin(s.manual("app"))
	s.endDeclared(run, []string{"first", "second", "third"}, built{from: "first"})
	s.settle()
	s.push("old", "old1")
	s.settle()
	s.want("app")
	for _, name := range []string{"first", "second", "third"} {
		s.push(name, name+"1")
	}
	s.settle()
	s.want("app", "Queued first:first0→first1 second:second0→second1 third:third0→third1")
}

// A base that was missing when the run began, and came while it failed, is a
// reason to run again.
func TestBaseComesWhileTheRunFails(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.define("app", "1", surveyOf(base("missing", nil)))
	s.settle()
	run := s.begin(s.manual("app"))
	s.push("missing", "a")
	s.settle()
	s.endDeclared(run, []string{"missing"})
	s.settle()
	s.want("app", "Queued missing:→a")
}

// The runs of a task that was deleted hold up none that is made under its name.
func TestTaskMadeAgain(t *testing.T) {
	t.Parallel()
	for name, readBetween := range map[string]bool{"seen to go": true, "made again before anybody looked": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.push("base", "a")
			s.define("app", "1", surveyOf(base("base", nil)))
			s.learn("app", built{from: "base"})
			s.must(s.store.DeleteResource(t.Context(), taskID("app")))
			s.tell(drydock.TaskChangedEvent, taskID("app"))
			if readBetween {
				s.settle()
			}
			s.define("app", "1", surveyOf(base("base", nil)))
			s.settle()
			s.push("base", "b")
			s.settle()
			s.want("app", "Queued base:a→b")
			if v := s.view("app"); len(v.Waiting) > 0 {
				t.Errorf("it waits for %+v", v.Waiting)
			}
		})
	}
}

func TestViewOfTaskThatIsRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.define("app", "1", surveyOf(base("base", nil)))
	s.settle()
	s.define("app", "2", surveyOf(base("base", nil)))
	s.follow()
	if v := s.view("app"); !strings.Contains(v.Bases[0].Note, "is being read") {
		t.Errorf("while it is read: %+v", v.Bases)
	}
	s.settle()
	if v := s.view("app"); v.Bases[0].Note != "" {
		t.Errorf("when it was read: %+v", v.Bases)
	}
}
