package baseimage_test

import (
	"testing"

	"github.com/drydockhq/drydock"
)

// wantStale checks by which run a task has failed to take a change of base over,
// nil for none, and the words of the digests that it stands on and of the tag.
func (s *site) wantStale(what, task string, run *drydock.RunRecord, stands, now string) {
	s.t.Helper()
	v := s.view(task)
	id := ""
	if run != nil {
		id = run.ID
	}
	base := v.Bases[0]
	if v.Failed.ID != id || v.Due || base.Due || base.Stale != (run != nil) || word(base.Stands) != stands || word(base.Now.Digest) != now {
		s.t.Errorf("%s: failed %q, due %t, stale %t, stands on %s, now %s", what, v.Failed.ID, v.Due, base.Stale, word(base.Stands), word(base.Now.Digest))
	}
}

// A patch that did not get through stays to be seen, and is not tried again by
// itself.
func TestViewOfFailedPatch(t *testing.T) {
	t.Parallel()
	for name, resolved := range map[string][]built{"after it resolved the base": {{from: "base"}}, "before": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.push("base", "a")
			s.chain("mid", "app")
			s.push("base", "b")
			s.settle()
			run := s.last("mid")
			s.wantStale("while it runs", "mid", nil, "b", "b")
			s.end(run, failed, resolved...)
			s.settle()
			s.settle()
			s.wantStale("after it failed", "mid", &run, "a", "b")
			s.wantStale("what is built on it", "app", nil, "mid0", "mid0")
			s.want("mid", "Failed base:a→b")
			s.want("app")

			s.task("mid", drydock.RuntimeImages) // read again, and not changed
			s.surveys[taskID("mid").Key()] = surveyOf(base("base", nil))
			s.tasks.definitions[taskID("mid").Key()] = "mended"
			s.task("mid", drydock.RuntimeImages)
			s.settle()
			s.wantStale("after it was mended", "mid", &run, "a", "b")
			s.want("mid", "Failed base:a→b")

			again := s.manual("mid")
			s.wantStale("while it is run again", "mid", nil, "b", "b")
			s.end(again, drydock.RunCanceled)
			s.settle()
			s.wantStale("after that was canceled", "mid", &again, "a", "b")
			s.learn("mid", built{image: "mid", digest: "mid1", from: "base"})
			s.wantStale("after it succeeded", "mid", nil, "b", "b")
			s.want("app", "Queued mid:mid0→mid1")
		})
	}
}

// A run that fails on the base that is built on already hides nothing.
func TestViewOfFailureOnTheSameBase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.push("base", "a")
	s.app("app")
	s.end(s.manual("app"), failed, built{from: "base"})
	s.settle()
	s.wantStale("after it failed", "app", nil, "a", "a")
	s.push("base", "b")
	s.settle()
	run := s.last("app")
	s.end(run, failed, built{from: "base"})
	altered, err := s.store.CreateRun(t.Context(), drydock.RunRecord{Registry: registryID("own"), Task: "app", Altered: true})
	s.must(err)
	s.end(altered, succeeded, built{from: "base"})
	s.settle()
	s.wantStale("after something else was built", "app", &run, "a", "b")
	s.push("base", "a")
	s.settle()
	s.end(s.last("app"), failed, built{from: "base"})
	s.settle()
	s.wantStale("back on what it was", "app", nil, "a", "a")
}
