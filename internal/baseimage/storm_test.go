package baseimage_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/queue"
)

// agent carries out the runs of a queue until its context ends: each resolves
// base some time after it began.
func (s *site) agent(ctx context.Context, q *queue.Queue) {
	for {
		c, err := q.Claim(ctx)
		if err != nil {
			return
		}
		if err := c.Start(ctx); err != nil {
			s.t.Error(err)
			return
		}
		ref := s.resolve("base")
		time.Sleep(2 * time.Millisecond) // time for more pushes
		result := fmt.Appendf(nil, `{"dependencies":[{"runtime-dependency":{"registry":%q,"repository":%q,"tag":%q,"digest":%q}}]}`,
			ref.Registry, ref.Repository, ref.Tag, ref.Digest)
		if err := c.Finish(ctx, succeeded, result); err != nil {
			s.t.Error(err)
			return
		}
	}
}

// TestThousandPushes pushes a tag a thousand times as fast as it goes, while runs
// are made and carried out. At the end the task stands on the last, no change was
// brought twice and none that mattered was left out.
func TestThousandPushes(t *testing.T) {
	t.Parallel()
	const pushes = 1000
	s := newSite(t)
	s.push("base", "start")
	s.app("app")
	q, err := queue.Open(t.Context(), queue.Config{Runs: s.store, Owner: "test", Alone: true, Slots: 2})
	s.must(err)
	ctx, cancel := context.WithCancel(t.Context())
	changed := make(chan struct{}, 1)
	s.evaluator.Created, s.evaluator.Changed = q.Enlist, changed
	s.follower.Changed = func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	var parts sync.WaitGroup
	parts.Go(func() { _ = s.consumer.Run(ctx) })
	parts.Go(func() { s.evaluator.Run(ctx) })
	parts.Go(func() { s.agent(ctx, q) })
	for i := range pushes {
		s.push("base", fmt.Sprint("p", i))
	}
	last := digest(fmt.Sprint("p", pushes-1))
	s.quiet(last)
	cancel()
	parts.Wait()
	q.Close()

	previous := digest("start")
	runs := s.runs("app")
	brought := map[string]bool{}
	for _, r := range runs {
		i := s.causeOf(r).Image[0]
		if i.Previous != previous && !brought[i.Previous] {
			t.Errorf("run %s goes from %s, which no run stood on", r.ID, word(i.Previous))
		}
		if brought[i.Digest] {
			t.Errorf("%s was brought twice", word(i.Digest))
		}
		brought[i.Digest], previous = true, i.Digest
		brought[digestOf(r)] = true
	}
	t.Logf("%d pushes made %d runs", pushes, len(runs))
	if len(runs) == 0 || len(runs) > pushes/2 {
		t.Errorf("%d pushes made %d runs", pushes, len(runs))
	}
}

// digestOf returns the digest of the base that a run resolved.
func digestOf(r drydock.RunRecord) string {
	const key = `"digest":"`
	text := string(r.Result)
	for i := range text {
		if len(text) > i+len(key) && text[i:i+len(key)] == key {
			return text[i+len(key) : i+len(key)+len(digest(""))]
		}
	}
	return ""
}

// quiet waits until the app stands on a digest and no run goes on.
func (s *site) quiet(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		known, err := s.store.TaskImages(s.t.Context(), taskID("app"))
		s.must(err)
		active, err := s.store.Runs(s.t.Context(), drydock.RunFilter{OnlyActive: true})
		s.must(err)
		if known[0].Bases[0].Digest == want && len(active) == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the app stands on %s, and %d runs go on", word(known[0].Bases[0].Digest), len(active))
		}
	}
}
