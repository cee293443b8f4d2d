package baseimage_test

import (
	"context"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// rereading has a task that stands on a, x and z of three bases, and has been
// changed to be built from others. That is not read yet.
func rereading(t *testing.T, now ...string) *site {
	t.Helper()
	s := newSite(t)
	s.push("old", "a")
	s.push("kept", "x")
	s.push("new", "n")
	s.poll("registry.example/away", "z")
	s.define("app", "1", surveyOf(base("old", nil), base("kept", nil), base("registry.example/away", nil)))
	s.settle()
	s.learn("app", built{from: "old"}, built{from: "kept"}, built{from: "registry.example/away=z"})
	s.define("app", "2", surveyOf())
	s.poll("registry.example/away", "z")
	survey := drydock.BuildSurvey{}
	for _, name := range now {
		survey.Bases = append(survey.Bases, base(name, nil))
	}
	s.surveys[taskID("app").Key()] = survey
	return s
}

// changesWhileRead pushes to bases of the task, which starts nothing.
func (s *site) changesWhileRead() {
	s.t.Helper()
	for _, change := range []func(){
		func() { s.push("old", "b") },
		func() { s.push("kept", "y") },
		func() { s.poll("registry.example/away", "zz") },
	} {
		change()
		s.follow()
		s.must(s.evaluator.Evaluate(s.t.Context()))
	}
	s.want("app")
}

// A push to a base that a changed task is built from still is held while the task
// is read, and not lost; one to a base that it isn't built from starts nothing.
func TestPushWhileRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		now  []string
		want []string
	}{
		"no base is kept":          {[]string{"new"}, nil},
		"one is":                   {[]string{"new", "kept"}, []string{"Queued kept:x→y"}},
		"one elsewhere is":         {[]string{"new", "registry.example/away"}, []string{"Queued registry.example/away:z→zz"}},
		"all are":                  {[]string{"kept", "old", "registry.example/away"}, []string{"Queued old:a→b kept:x→y registry.example/away:z→zz"}},
		"it is built from nothing": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rereading(t, c.now...)
			s.changesWhileRead()
			s.settle()
			s.settle()
			s.want("app", c.want...)
			s.push("old", "c")
			s.settle()
			if len(c.now) < 3 {
				s.want("app", c.want...) // not one of the old base, now or later
			}
		})
	}
}

// What is as it was when the reading ends starts nothing.
func TestPushAndBackWhileRead(t *testing.T) {
	t.Parallel()
	s := rereading(t, "kept")
	s.changesWhileRead()
	s.push("kept", "x")
	s.settle()
	s.want("app")
}

// The server is killed at each point of the reading.
func TestKilledWhileRead(t *testing.T) {
	t.Parallel()
	for name, kill := range map[string]func(s *site){
		"before it is known that the task changed": func(s *site) {
			s.push("old", "b")
			s.push("kept", "y")
			s.restart()
		},
		"before it begins": func(s *site) { s.changesWhileRead(); s.restart() },
		"under way": func(s *site) {
			s.follow()
			ctx, killed := context.WithCancel(s.t.Context())
			s.hangs = func(string) bool {
				s.changesWhileRead()
				killed()
				return true
			}
			_ = s.armer.Arm(ctx) // it is killed
			s.hangs = nil
			s.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rereading(t, "kept", "new")
			kill(s)
			s.must(s.evaluator.Evaluate(t.Context())) // as at any start, before it is read
			s.want("app")
			s.settle()
			s.settle()
			s.want("app", "Queued kept:x→y")
		})
	}
}

// A task that can't be read is rebuilt as far as is known: nothing that it may be
// built from is lost, and one run tells the rest.
func TestPushWhileReadInVain(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(s *site){
		"no source": func(s *site) { delete(s.surveys, taskID("app").Key()) },
		"no answer": func(s *site) {
			s.hangs = func(string) bool { return true }
			s.armer.Timeout = time.Millisecond
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := rereading(t, "kept")
			fail(s)
			s.changesWhileRead()
			s.settle()
			s.settle()
			run := s.want("app", "Queued old:a→b kept:x→y registry.example/away:z→zz")[0]
			s.end(run, succeeded, built{from: "new"}, built{from: "kept"})
			s.settle()
			s.push("old", "c")
			s.settle()
			s.want("app", "Succeeded old:a→b kept:x→y registry.example/away:z→zz")
		})
	}
}

// A run of the changed task may tell before the reading does.
func TestRunWhileRead(t *testing.T) {
	t.Parallel()
	s := rereading(t, "old") // which is never asked
	s.follow()
	run := s.begin(s.manual("app"))
	s.push("old", "b")
	s.push("kept", "y")
	s.follow()
	s.end(run, succeeded, built{from: "new"}, built{from: "kept=x"})
	s.follow()
	s.must(s.evaluator.Evaluate(t.Context()))
	s.settle()
	s.want("app", "Queued kept:x→y")
}
