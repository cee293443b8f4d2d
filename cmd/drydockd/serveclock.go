package main

import "time"

const (
	// clockJump is by how much the wall clock may run ahead of the time that has
	// passed without being suspected.
	clockJump = 30 * time.Minute
	// clockHold is how long a clock that was set ahead is not believed: time for
	// a wrong one to be put right.
	clockHold = 2 * time.Hour
)

// clockGuard sees when the wall clock is set ahead. By a wrong one everything is
// old, and what is old is removed.
type clockGuard struct {
	now   func() time.Time // the wall clock
	wall  time.Time        // at the last look
	real  time.Time        // likewise, monotonic
	until time.Time        // monotonic; zero while the clock is believed
}

func newClockGuard(now func() time.Time) *clockGuard {
	return &clockGuard{now: now, wall: now().Round(0), real: time.Now()}
}

// look returns by how much the clock was set ahead since the last look, 0 for
// not suspiciously. One that is set back is believed at once.
func (g *clockGuard) look() time.Duration {
	wall, real := g.now().Round(0), time.Now()
	jump := wall.Sub(g.wall) - real.Sub(g.real)
	g.wall, g.real = wall, real
	switch {
	case jump > clockJump:
		g.until = real.Add(clockHold)
		return jump
	case jump < -clockJump:
		g.until = time.Time{}
	}
	return 0
}

// holding reports that the clock is not believed at present.
func (g *clockGuard) holding() bool { return time.Now().Before(g.until) }
