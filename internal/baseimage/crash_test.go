package baseimage_test

import (
	"context"
	"errors"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

var errKilled = errors.New("the server was killed")

// mortal is a store whose server is killed at a write: what was not committed by
// then is lost, and nothing works any more.
type mortal struct {
	*sqlstore.Store
	left  int  // writes until it is killed
	after bool // when that is committed, if it is one that commits
	dead  bool
}

var _ baseimage.Store = (*mortal)(nil)

// write counts a write and does it, unless the server is dead.
func (m *mortal) write(commits bool, f func() error) error {
	if m.dead {
		return errKilled
	}
	m.left--
	if m.left == 0 && !(m.after && commits) {
		m.dead = true
		return errKilled
	}
	kill := m.left == 0
	err := f()
	if m.dead = m.dead || kill; m.dead {
		return errKilled
	}
	return err
}

func (m *mortal) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	return m.write(true, func() error {
		return m.Store.Atomically(ctx, func(ctx context.Context) error {
			if err := f(ctx); err != nil {
				return err
			}
			if m.dead {
				return errKilled
			}
			return nil
		})
	})
}

func (m *mortal) PutTaskImages(ctx context.Context, t drydock.TaskImages) error {
	return m.write(false, func() error { return m.Store.PutTaskImages(ctx, t) })
}

func (m *mortal) AddOutput(ctx context.Context, task drydock.ResourceID, image drydock.ImageName) error {
	return m.write(false, func() error { return m.Store.AddOutput(ctx, task, image) })
}

func (m *mortal) PutImageState(ctx context.Context, s drydock.ImageState) (watched bool, err error) {
	err = m.write(false, func() (err error) {
		watched, err = m.Store.PutImageState(ctx, s)
		return err
	})
	return watched, err
}

func (m *mortal) SettleImages(ctx context.Context, task drydock.ResourceID, images ...drydock.ImageName) error {
	return m.write(false, func() error { return m.Store.SettleImages(ctx, task, images...) })
}

func (m *mortal) Settle(ctx context.Context, tasks ...drydock.ResourceID) error {
	return m.write(false, func() error { return m.Store.Settle(ctx, tasks...) })
}

func (m *mortal) CreateRuns(ctx context.Context, runs []drydock.RunRecord) (created []drydock.RunRecord, err error) {
	err = m.write(false, func() (err error) {
		created, err = m.Store.CreateRuns(ctx, runs)
		return err
	})
	return created, err
}

func (m *mortal) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (r drydock.RunRecord, err error) {
	err = m.write(false, func() (err error) {
		r, err = m.Store.UpdateRun(ctx, registry, id, change)
		return err
	})
	return r, err
}

func (m *mortal) MoveEventCursor(ctx context.Context, consumer string, number int64) error {
	return m.write(true, func() error { return m.Store.MoveEventCursor(ctx, consumer, number) })
}

// live does what a server does, on a store that may die, and reports whether it
// did.
func (s *site) live(m *mortal) (died bool) {
	s.t.Helper()
	s.restart()
	s.follower.Store, s.evaluator.Store, s.armer.Store = m, m, m
	s.consumer.Events, s.consumer.Store = m, m
	for {
		more, err := s.consumer.Next(s.t.Context())
		if m.dead {
			return true
		}
		s.must(err)
		if !more {
			break
		}
	}
	errs := errors.Join(s.armer.Arm(s.t.Context()), s.evaluator.Evaluate(s.t.Context()))
	if !m.dead {
		s.must(errs)
	}
	return m.dead
}

// TestKilledAtAnyWrite kills the server at each write that a diamond takes, from
// the creation of its tasks on: just before, and just after it was committed.
// Each time the diamond goes to its end, and nothing runs twice.
func TestKilledAtAnyWrite(t *testing.T) {
	t.Parallel()
	for _, after := range []bool{false, true} {
		for kill := 1; ; kill++ {
			s := newSite(t)
			if !s.diamondWithKill(kill, after) {
				if kill < 20 {
					t.Errorf("a diamond takes only %d writes", kill)
				}
				break
			}
			if t.Failed() {
				t.Fatalf("killed at write %d, after it: %v", kill, after)
			}
		}
	}
}

// diamondWithKill rebuilds a diamond whose server is killed at a write and
// started again. It reports whether that write was reached.
func (s *site) diamondWithKill(kill int, after bool) bool {
	s.t.Helper()
	m := &mortal{Store: s.store, left: kill, after: after}
	killed := false
	settle := func() {
		s.t.Helper()
		for s.live(m) {
			killed = true
			m.dead, m.left = false, 0 // it lives on
		}
	}
	s.push("base", "a")
	s.push("middle", "m0")
	middle := surveyOf(base("base", nil))
	middle.Outputs = []drydock.ImageName{image("middle")}
	s.define("middle", "1", middle)
	s.define("app", "1", surveyOf(base("middle", nil), base("base", nil)))
	s.task("app", drydock.AllImages)
	settle()
	s.push("base", "b")
	settle()
	s.push("base", "c") // while the first run waits
	settle()
	for _, task := range []string{"middle", "app"} {
		run := s.begin(s.last(task))
		settle()
		b := built{image: task, digest: task + "1", from: "base"}
		if task == "app" {
			b.buildtime = []string{"middle"}
		}
		s.end(run, succeeded, b)
		settle()
	}
	settle()
	s.want("middle", "Succeeded base:a→c")
	s.want("app", "Succeeded base:a→c middle:m0→middle1")
	return killed
}
