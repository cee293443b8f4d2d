package upstream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/upstream"
)

func unavailable() error { return drydock.Errorf(drydock.Unavailable, "503 Service Unavailable") }

// A registry that says for how long it wants to be left alone is, with all of its
// images and over restarts; others are not.
func TestRegistryThatLimitsRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1", "b:1", "quay.io/c/d:1")
		s.registry.has("a:1", digestA)
		s.registry.has("b:1", digestA)
		s.registry.has("quay.io/c/d:1", digestA)
		s.start()
		s.pass(time.Minute)
		s.registry.fails("a:1", &upstream.WaitError{After: 5 * time.Hour, Err: unavailable()})
		s.registry.fails("b:1", &upstream.WaitError{After: 5 * time.Hour, Err: unavailable()})
		s.pass(35 * time.Minute)
		hub := func() int { return s.registry.times("a:1") + s.registry.times("b:1") }
		limited := hub()
		if limited < 3 || s.store.pauses["docker.io"].Until.IsZero() {
			t.Fatalf("%d checks, pauses %+v", limited, s.store.pauses)
		}
		s.registry.has("a:1", digestB)
		s.registry.has("b:1", digestB)
		s.pass(2 * time.Hour)
		s.stop()
		s.start()
		s.pass(2*time.Hour + 50*time.Minute)
		if n := hub() - limited; n != 0 {
			t.Errorf("%d checks in the pause", n)
		}
		if n := s.registry.times("quay.io/c/d:1"); n < 8 {
			t.Errorf("%d checks of another registry", n)
		}
		s.pass(20 * time.Minute)
		s.want("a:1", ">a", "a>b")
		s.want("b:1", ">a", "a>b")
		if len(s.store.pauses) != 0 {
			t.Errorf("pauses %+v", s.store.pauses)
		}
		s.stop()
	})
}

// One that limits and doesn't say for how long is asked less and less often.
func TestRegistryThatLimitsWithoutATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.fails("a:1", &upstream.WaitError{Err: unavailable()})
		s.start()
		s.pass(time.Minute)
		first := s.registry.times("")
		s.pass(24 * time.Hour)
		s.stop()
		if n := s.registry.times(""); first > 2 || n < 18 || n > 40 {
			t.Errorf("%d checks in the first minute, %d in a day", first, n)
		}
	})
}

// A registry that answers, and says that this was the last time for now.
func TestRegistryThatIsExhausted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.answer("a:1", func(context.Context) (upstream.Answer, error) {
			return upstream.Answer{Digest: digestA, Pause: 3 * time.Hour}, nil
		})
		s.start()
		s.pass(2 * time.Hour)
		s.want("a:1", ">a")
		if n := s.registry.times(""); n != 1 {
			t.Errorf("%d checks", n)
		}
		s.pass(2 * time.Hour)
		if n := s.registry.times(""); n != 2 {
			t.Errorf("%d checks", n)
		}
		s.stop()
	})
}

// A registry that is down costs a question now and then, not one an image. When
// it is back, all are looked at soon.
func TestRegistryThatIsDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		names := []string{"a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1", "h:1", "i:1", "j:1"}
		s := newSite(t, names...)
		for _, name := range names {
			s.registry.fails(name, unavailable())
		}
		s.start()
		s.pass(24 * time.Hour)
		if n := s.registry.times(""); n < 40 || n > 80 {
			t.Errorf("%d checks in a day", n)
		}
		if p := s.poll("a:1"); p.Problem == "" || p.Failures == 0 {
			t.Errorf("%+v", p)
		}
		for _, name := range names {
			s.registry.has(name, digestA)
		}
		s.pass(time.Hour)
		for _, name := range names {
			s.want(name, ">a")
		}
		s.stop()
	})
}

// One image that its registry can't serve does not hold up the others.
func TestOneBadImage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "bad:1", "good:1")
		s.registry.fails("bad:1", unavailable())
		s.registry.has("good:1", digestA)
		s.start()
		s.pass(24 * time.Hour)
		if n := s.registry.times("good:1"); n < 30 {
			t.Errorf("%d checks of the good image in a day", n)
		}
		s.stop()
	})
}

func TestRegistryThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "hangs.example/a/b:1", "c:1")
		s.registry.answer("hangs.example/a/b:1", func(ctx context.Context) (upstream.Answer, error) {
			<-ctx.Done()
			return upstream.Answer{}, context.Cause(ctx)
		})
		s.registry.has("c:1", digestA)
		s.start()
		s.pass(time.Second)
		s.want("c:1", ">a")
		s.pass(3 * time.Minute)
		if p := s.poll("hangs.example/a/b:1"); p.Failures != 1 || p.Problem == "" {
			t.Errorf("%+v", p)
		}
		s.stop() // while one hangs, or not: it ends
	})
}
