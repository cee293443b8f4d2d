package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
)

func TestEachRealChangeIsAnEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "node:15")
		s.registry.has("node:15", digestA)
		s.start()
		s.pass(time.Second)
		s.want("node:15", ">a") // at once
		s.pass(3 * time.Hour)
		s.want("node:15", ">a")
		s.registry.has("node:15", digestB)
		s.pass(time.Hour)
		s.registry.has("node:15", digestA) // and back
		s.pass(time.Hour)
		s.want("node:15", ">a", "a>b", "b>a")
		s.registry.answer("node:15", nil) // deleted
		s.pass(time.Hour)
		s.want("node:15", ">a", "a>b", "b>a", "a>")
		if p := s.poll("node:15"); p.Digest != "" || p.Failures != 0 || p.Problem != "" {
			t.Errorf("of a deleted tag: %+v", p)
		}
		s.pass(2 * time.Hour)
		s.registry.has("node:15", digestA)
		s.pass(time.Hour)
		s.want("node:15", ">a", "a>b", "b>a", "a>", ">a")
		s.stop()
	})
}

// A tag that moves all the time is looked at no more often than another.
func TestFlippingTag(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "flip:1")
		n := 0
		s.registry.answer("flip:1", func(context.Context) (upstream.Answer, error) {
			n++
			return upstream.Answer{Digest: []string{digestA, digestB}[n%2]}, nil
		})
		s.start()
		s.pass(24 * time.Hour)
		s.stop()
		if n < 24 || n > 24*6 {
			t.Errorf("%d checks in a day", n)
		}
		if got := len(s.changes("flip:1")); got != n {
			t.Errorf("%d events of %d changes", got, n)
		}
	})
}

func TestTagThatWasNeverThereIsNoChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "node:99")
		s.start()
		s.pass(time.Hour)
		s.want("node:99")
		s.registry.has("node:99", digestA)
		s.pass(time.Hour)
		s.want("node:99", ">a")
		s.stop()
	})
}

func TestWatchesComeAndGo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.has("a:1", digestA)
		s.registry.has("b:1", digestA)
		s.start()
		s.watch("b:1")
		s.watcher.Sync()
		s.pass(2 * time.Second)
		s.want("b:1", ">a")
		if _, err := s.store.ImagePoll(t.Context(), image(t, "a:1")); drydock.CodeOf(err) != drydock.NotFound {
			t.Errorf("of an image that nobody watches: %v", err)
		}
		asked := s.registry.times("a:1")
		s.watch("a:1", "b:1") // found without a signal too
		s.pass(time.Minute)
		if s.registry.times("a:1") == asked {
			t.Error("an image that is watched again is not looked at")
		}
		s.stop()
	})
}

// A restart neither forgets when images are due nor looks at all of them.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1", "b:1")
		s.registry.has("a:1", digestA)
		s.registry.has("b:1", digestA)
		s.start()
		s.pass(time.Minute)
		s.stop()
		s.registry.has("a:1", digestB)
		s.start()
		s.pass(20 * time.Minute)
		if n := s.registry.times(""); n != 2 {
			t.Errorf("%d checks, want those from before", n)
		}
		s.pass(20 * time.Minute) // the interval is 35 minutes
		s.want("a:1", ">a", "a>b")
		s.want("b:1", ">a")
		s.stop()
		// What became due meanwhile is looked at soon.
		time.Sleep(5 * time.Hour)
		s.registry.has("b:1", digestB)
		s.start()
		s.pass(time.Minute)
		s.want("b:1", ">a", "a>b")
		s.stop()
	})
}

// The wall clock may jump while a watcher runs and between two: images are
// looked at as often as ever.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 1000 * time.Hour, -1000 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, "a:1")
				s.registry.has("a:1", digestA)
				s.start()
				s.pass(time.Minute)
				s.wall.Store(int64(jump))
				s.pass(24 * time.Hour)
				if n := s.registry.times(""); n < 24 || n > 24*6 {
					t.Errorf("%d checks in a day after the jump", n)
				}
				s.stop()
				s.wall.Store(0)
				before := s.registry.times("")
				s.start()
				s.pass(24 * time.Hour)
				if n := s.registry.times("") - before; n < 23 || n > 24*6 {
					t.Errorf("%d checks in a day after a restart with the right clock", n)
				}
				s.stop()
				s.want("a:1", ">a")
			})
		})
	}
}

// While the store can't write, nothing counts as seen.
func TestStoreTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.has("a:1", digestA)
		s.store.broken = true
		s.start()
		s.pass(time.Minute)
		s.want("a:1")
		s.store.mu.Lock()
		s.store.broken = false
		s.store.mu.Unlock()
		s.pass(time.Minute)
		s.want("a:1", ">a")
		s.stop()
	})
}

func TestManyImages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const images, hosts = 10_000, 20
		var names []string
		for i := range images {
			names = append(names, fmt.Sprintf("r%d.example/a/b%d:1", i%hosts, i))
		}
		s := newSite(t, names...)
		for _, name := range names {
			s.registry.answer(name, func(context.Context) (upstream.Answer, error) {
				time.Sleep(100 * time.Millisecond)
				return upstream.Answer{Digest: digestA}, nil
			})
		}
		s.start()
		s.pass(time.Minute)
		if got := s.store.count(); got != images {
			t.Errorf("%d images were looked at in a minute", got)
		}
		if n := s.registry.busiest(); n > 32 {
			t.Errorf("%d questions at a time", n)
		}
		s.pass(time.Hour)
		if got := s.store.count(); got != images {
			t.Errorf("%d events", got)
		}
		for _, name := range names {
			if n := s.registry.times(name); n != 2 {
				t.Fatalf("%s: %d checks in an hour", name, n)
			}
		}
		s.stop()
	})
}

func TestHostThatIsNeverPolled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.interval = upstream.Interval{}
		s.registry.has("a:1", digestA)
		s.start()
		s.pass(100 * time.Hour)
		s.want("a:1")
		if !s.watcher.CheckNow(image(t, "a:1")) {
			t.Error("not watched")
		}
		s.pass(time.Second)
		s.want("a:1", ">a")
		s.pass(100 * time.Hour)
		s.stop()
		s.start()
		s.pass(100 * time.Hour)
		s.stop()
		if n := s.registry.times(""); n > 1 {
			t.Errorf("%d checks", n)
		}
	})
}

// What is known of an image says what goes wrong, and no longer when it doesn't.
func TestProblems(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.has("a:1", digestA)
		s.start()
		s.pass(time.Minute)
		s.registry.fails("a:1", drydock.Errorf(drydock.Denied, "nobody may read it"))
		s.pass(48 * time.Hour)
		p := s.poll("a:1")
		if p.Problem != "nobody may read it" || p.Digest != digestA || p.Failures < 8 {
			t.Errorf("%+v", p)
		}
		if n := s.registry.times(""); n > 16 {
			t.Errorf("%d checks in two days of an image that nobody may read", n)
		}
		s.registry.has("a:1", digestA)
		s.pass(8 * time.Hour)
		if p := s.poll("a:1"); p.Problem != "" || p.Failures != 0 {
			t.Errorf("%+v", p)
		}
		s.want("a:1", ">a")
		s.registry.answer("a:1", func(context.Context) (upstream.Answer, error) {
			return upstream.Answer{Digest: digestA, Refused: []string{"task secret"}}, nil
		})
		s.pass(2 * time.Hour)
		if p := s.poll("a:1"); p.Problem != "docker.io refuses a credential of a task that waits for it" || p.Failures != 0 {
			t.Errorf("%+v", p)
		}
		s.registry.fails("a:1", errors.New("something that nobody has thought of"))
		s.pass(2 * time.Hour)
		if p := s.poll("a:1"); p.Problem == "" || p.Digest != digestA {
			t.Errorf("%+v", p)
		}
		s.stop()
	})
}
