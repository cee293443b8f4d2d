package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestClockThatIsSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ahead time.Duration
		g := newClockGuard(func() time.Time { return time.Now().Add(ahead) })
		for i, step := range []struct {
			passes, set time.Duration
			jump        time.Duration
			holding     bool
		}{
			{passes: 100 * time.Hour},
			{passes: time.Hour, set: time.Minute},
			{passes: time.Hour, set: 1000 * time.Hour, jump: 1000 * time.Hour, holding: true},
			{passes: time.Hour, holding: true},
			{passes: time.Hour, set: -1000 * time.Hour},                                 // put right
			{passes: time.Hour, set: 9 * time.Hour, jump: 9 * time.Hour, holding: true}, // as after a night asleep
			{passes: time.Hour, holding: true},
			{passes: time.Hour},
			{passes: time.Hour, set: -9 * time.Hour},
		} {
			time.Sleep(step.passes)
			ahead += step.set
			if jump := g.look(); jump != step.jump || g.holding() != step.holding {
				t.Errorf("step %d: set ahead by %s, holding: %t", i, jump, g.holding())
			}
		}
	})
}
