package baseimage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// chain makes tasks that build on one another: the first on base.
func (s *site) chain(names ...string) {
	s.t.Helper()
	from := "base"
	for _, name := range names {
		s.task(name, drydock.RuntimeImages)
		s.learn(name, built{image: name, digest: name + "0", from: from})
		from = name
	}
}

func TestChain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.chain("one", "two", "three")
	s.push("base", "b")
	s.settle()
	root := s.last("one").Root
	from := "base"
	for _, name := range []string{"one", "two", "three"} {
		run := s.begin(s.last(name))
		if run.Root != root {
			t.Errorf("the run of %s has root %d, not %d", name, run.Root, root)
		}
		s.end(run, succeeded, built{image: name, digest: name + "1", from: from})
		s.settle()
		from = name
	}
	s.want("one", "Succeeded base:a→b")
	s.want("two", "Succeeded one:one0→one1")
	runs := s.want("three", "Succeeded two:two0→two1")
	if by := s.causeOf(runs[0]).Image[0].Run; !strings.HasSuffix(by, "/runs/"+s.last("two").ID) {
		t.Errorf("three was started by run %s", by)
	}
}

// An app that builds on the base twice, directly and through a middle, runs
// once, after the middle, and says both.
func TestDiamond(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.chain("middle")
	s.task("app", drydock.AllImages)
	s.learn("app", built{image: "app", digest: "app0", from: "middle", buildtime: []string{"base"}})
	s.push("base", "b")
	s.settle()
	s.want("app")
	view := s.view("app")
	if !view.Due || len(view.Waiting) != 1 || view.Waiting[0].Task.Name() != "middle" {
		t.Errorf("the app's view is %+v", view)
	}
	run := s.begin(s.last("middle"))
	s.settle()
	s.end(run, succeeded, built{image: "middle", digest: "middle1", from: "base"})
	s.settle()
	s.want("middle", "Succeeded base:a→b")
	s.want("app", "Queued base:a→b middle:middle0→middle1")
	s.end(s.last("app"), succeeded, built{image: "app", digest: "app1", from: "middle", buildtime: []string{"base"}})
	s.settle()
	s.want("app", "Succeeded base:a→b middle:middle0→middle1")
}

// A middle between the base and the app's middle is waited for as well.
func TestDeepDiamond(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.chain("one", "two")
	s.task("app", drydock.AllImages)
	s.learn("app", built{image: "app", digest: "app0", from: "two", buildtime: []string{"base"}})
	s.push("base", "b")
	s.settle()
	from := "base"
	for _, name := range []string{"one", "two"} {
		s.want("app")
		s.end(s.last(name), succeeded, built{image: name, digest: name + "1", from: from})
		s.settle()
		from = name
	}
	s.want("app", "Queued base:a→b two:two0→two1")
}

func TestFailingMiddle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.chain("one", "two")
	s.task("app", drydock.AllImages)
	s.learn("app", built{from: "two", buildtime: []string{"base"}})
	s.push("base", "b")
	s.settle()
	broken := s.last("one")
	s.end(broken, failed)
	s.settle()
	s.want("two")
	run := s.want("app", "Queued base:a→b")[0]
	notes := strings.Join(s.causeOf(run).Notes, "\n")
	if !strings.Contains(notes, "one") || !strings.Contains(notes, broken.ID) || !strings.Contains(notes, "Failed") {
		t.Errorf("the notes are %q", notes)
	}
	s.end(run, succeeded, built{from: "two", buildtime: []string{"base"}})
	s.settle()
	s.want("app", "Succeeded base:a→b")

	// Nor is what comes later the failed run's fault.
	s.push("two", "by hand")
	s.settle()
	run = s.want("app", "Succeeded base:a→b", "Queued two:two0→by hand")[1]
	if notes := s.causeOf(run).Notes; len(notes) > 0 {
		t.Errorf("the notes are %q", notes)
	}
	s.end(run, succeeded, built{from: "two", buildtime: []string{"base"}})

	// When somebody mends the middle, the rest follows.
	s.learn("one", built{image: "one", digest: "one1", from: "base"})
	s.want("two", "Queued one:one0→one1")
}

// The base changes again and again while the middle is rebuilt: the app doesn't
// wait forever.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.chain("middle")
	s.task("app", drydock.AllImages)
	s.learn("app", built{from: "middle", buildtime: []string{"base"}})
	for i := range 4 {
		s.push("base", fmt.Sprint("b", i))
		s.settle()
		run := s.begin(s.last("middle"))
		s.push("base", fmt.Sprint("c", i))
		s.settle()
		s.end(run, succeeded, built{image: "middle", digest: fmt.Sprint("m", i), from: fmt.Sprint("base=b", i)})
		s.settle()
		runs := s.runs("app")
		if len(runs) != i+1 {
			t.Fatalf("after %d rounds the app has %d runs", i+1, len(runs))
		}
		s.end(runs[i], succeeded, built{from: "middle", buildtime: []string{"base"}})
		s.end(s.last("middle"), succeeded, built{image: "middle", digest: fmt.Sprint("m", i), from: "base"}) // as it was
		s.settle()
	}
}

// An older run of the middle is waited for, one that somebody asked for later is
// not.
func TestManualMiddle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.push("side", "x")
	s.chain("middle")
	s.task("app", drydock.AllImages)
	s.learn("app", built{from: "middle", buildtime: []string{"side"}})
	before := s.begin(s.manual("middle"))
	s.push("side", "y")
	s.settle()
	s.want("app")
	later := s.begin(s.manual("middle"))
	s.end(before, succeeded, built{image: "middle", digest: "m1", from: "base"})
	s.settle()
	s.want("app", "Queued middle:middle0→m1 side:x→y")
	s.end(later, succeeded, built{image: "middle", digest: "m1", from: "base"})
	s.settle()
}

// circle makes a task for each name that builds on the one before, and the first
// on the last.
func (s *site) circle(names ...string) {
	s.t.Helper()
	from := names[len(names)-1]
	s.push(from, "first")
	for _, name := range names {
		s.task(name, drydock.RuntimeImages)
		s.learn(name, built{image: name, digest: name + "0", from: from})
		from = name
	}
}

func TestCircles(t *testing.T) {
	t.Parallel()
	for _, names := range [][]string{{"one"}, {"one", "two"}, {"one", "two", "three"}} {
		t.Run(strings.Join(names, " "), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.circle(names...)
			s.push(names[len(names)-1], "pushed")
			s.settle()
			made := 0
			for round := range 20 {
				done := true
				for i, name := range names {
					for _, r := range s.runs(name) {
						if r.Status.Ended() {
							continue
						}
						done = false
						made++
						s.end(r, succeeded, built{
							image: name, digest: fmt.Sprint(name, round+1), from: names[(i+len(names)-1)%len(names)],
						})
						s.settle()
					}
				}
				if done {
					break
				}
			}
			if made != len(names) {
				t.Errorf("%d runs, want one for each task", made)
			}
			notes := s.causeOf(s.last(names[len(names)-1])).Notes
			if len(notes) != 1 || !strings.Contains(notes[0], names[0]) {
				t.Errorf("the notes of the run that closes the circle are %q", notes)
			}
			// It goes on when somebody else pushes again.
			s.push(names[len(names)-1], "again")
			s.settle()
			if n := len(s.runs(names[0])); n != 2 {
				t.Errorf("after another push there are %d runs", n)
			}
		})
	}
}

// Two tasks that build on one another and are due at once don't wait for each
// other.
func TestCircleDueAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.circle("one", "two")
	s.push("one", "pushed")
	s.push("two", "pushed")
	s.settle()
	s.want("one", "Queued two:first→pushed")
	s.want("two", "Queued one:one0→pushed")
	for round := range 5 {
		for _, name := range []string{"one", "two"} {
			if r := s.last(name); !r.Status.Ended() {
				other := map[string]string{"one": "two", "two": "one"}[name]
				s.end(r, succeeded, built{image: name, digest: fmt.Sprint(name, "-", round), from: other})
				s.settle()
			}
		}
	}
	for _, name := range []string{"one", "two"} {
		if n := len(s.runs(name)); n > 2 || !s.last(name).Status.Ended() {
			t.Errorf("%s has %d runs", name, n)
		}
	}
}

// From registry to registry: public → own → team.
func TestThreeRegistries(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("third/node", "a")
	s.task("gate", drydock.RuntimeImages)
	s.learn("gate", built{image: "own/node", digest: "n0", from: "third/node"})
	s.task("team/hello", drydock.RuntimeImages)
	s.learn("team/hello", built{image: "team/hello", digest: "h0", from: "own/node"})
	s.push("third/node", "b")
	s.settle()
	s.want("team/hello")
	s.end(s.last("gate"), failed, built{from: "third/node"}) // it stops at the gate
	s.settle()
	s.want("team/hello")
	s.push("third/node", "c")
	s.settle()
	s.end(s.last("gate"), succeeded, built{image: "own/node", digest: "n1", from: "third/node"})
	s.settle()
	s.want("gate", "Failed third/node:a→b", "Succeeded third/node:b→c")
	s.want("team/hello", "Queued node:n0→n1")
	s.end(s.last("team/hello"), succeeded, built{image: "team/hello", digest: "h1", from: "own/node"})
	s.settle()
	s.push("own/node", "n0") // the roll-back
	s.settle()
	s.want("team/hello", "Succeeded node:n0→n1", "Queued node:n1→n0")
}

func (s *site) view(task string) drydock.TaskImagesView {
	s.t.Helper()
	views, err := s.viewer().ViewTaskImages(s.t.Context(), taskID(task).Parent())
	s.must(err)
	for _, v := range views {
		if v.Task.Key() == taskID(task).Key() {
			return v
		}
	}
	s.t.Fatalf("there is no view of %s", task)
	return drydock.TaskImagesView{}
}
