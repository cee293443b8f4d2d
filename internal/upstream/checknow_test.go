package upstream_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock/internal/upstream"
)

func TestCheckNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1", "b:1")
		s.registry.has("a:1", digestA)
		s.start()
		s.pass(time.Minute)
		s.registry.has("a:1", digestB)
		for range 1000 {
			if !s.watcher.CheckNow(image(t, "registry.hub.docker.com/library/a:1")) {
				t.Fatal("not watched")
			}
		}
		if s.watcher.CheckNow(image(t, "c:1")) {
			t.Error("c:1 is watched")
		}
		s.pass(time.Second)
		s.want("a:1", ">a", "a>b")
		if n := s.registry.times("a:1"); n != 2 {
			t.Errorf("%d checks", n)
		}
		if n := s.registry.times("b:1"); n != 1 {
			t.Errorf("%d checks of another image", n)
		}
		// A minute of being asked all the time.
		for range 600 {
			s.watcher.CheckNow(image(t, "a:1"))
			s.pass(100 * time.Millisecond)
		}
		if n := s.registry.times("a:1"); n < 20 || n > 40 {
			t.Errorf("%d checks in a minute", n)
		}
		s.stop()
	})
}

// Somebody who asks while the image is being looked at wants to know what is
// there after that.
func TestCheckNowWhileChecking(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		digest := digestA
		s.registry.answer("a:1", func(context.Context) (upstream.Answer, error) {
			answer := digest
			time.Sleep(10 * time.Second)
			return upstream.Answer{Digest: answer}, nil
		})
		s.start()
		s.pass(5 * time.Second)
		digest = digestB
		s.watcher.CheckNow(image(t, "a:1"))
		s.pass(20 * time.Second)
		s.want("a:1", ">a", "a>b")
		s.stop()
	})
}

// A registry may tell of a push before its caches know of it.
func TestCheckNowThatFindsNothingIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1")
		s.registry.has("a:1", digestA)
		s.start()
		s.pass(time.Minute)
		s.watcher.CheckNow(image(t, "a:1"))
		s.pass(10 * time.Second)
		s.registry.has("a:1", digestB)
		s.pass(time.Minute)
		s.want("a:1", ">a", "a>b")
		n := s.registry.times("a:1")
		s.pass(5 * time.Minute)
		if s.registry.times("a:1") != n {
			t.Error("it is repeated again and again")
		}
		s.stop()
	})
}

func TestCheckNowKeepsToAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, "a:1", "b:1")
		s.registry.fails("a:1", &upstream.WaitError{After: time.Hour, Err: unavailable()})
		s.registry.fails("b:1", &upstream.WaitError{After: time.Hour, Err: unavailable()})
		s.start()
		s.pass(time.Minute)
		n := s.registry.times("")
		s.watcher.CheckNow(image(t, "a:1"))
		s.pass(50 * time.Minute)
		if s.registry.times("") != n {
			t.Error("a registry that wants to be left alone is asked")
		}
		s.registry.has("a:1", digestA)
		s.pass(15 * time.Minute)
		s.want("a:1", ">a")
		s.stop()
	})
}

func TestHints(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hint upstream.Hint
		want int
	}{
		{upstream.Hint{Host: "docker.io", Repository: "library/node", Tag: "15"}, 1},
		{upstream.Hint{Host: "index.docker.io", Repository: "library/node"}, 2},
		{upstream.Hint{Repository: "library/node", Tag: "15"}, 2}, // of both registries
		{upstream.Hint{Host: "behind-a-proxy:5000", Repository: "library/node", Tag: "15"}, 2},
		{upstream.Hint{Host: "mirror.example", Repository: "library/node", Tag: "15"}, 1},
		{upstream.Hint{Host: "docker.io", Repository: "library/node", Tag: "14"}, 0},
		{upstream.Hint{Host: "docker.io", Repository: "node", Tag: "15"}, 0},
		{upstream.Hint{}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t, "node:15", "node:16", "mirror.example/library/node:15", "other:15")
			s.start()
			s.pass(time.Minute)
			before := s.registry.times("")
			if got := s.watcher.Hint(c.hint); got != c.want {
				t.Errorf("%+v: %d images, want %d", c.hint, got, c.want)
			}
			s.pass(time.Second)
			if got := s.registry.times("") - before; got != c.want {
				t.Errorf("%+v: %d checks, want %d", c.hint, got, c.want)
			}
			s.stop()
		})
	}
}
