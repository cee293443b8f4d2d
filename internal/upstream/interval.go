package upstream

import (
	"time"

	"github.com/drydockhq/drydock/internal/pause"
)

// Interval is how long after a check of an image the next one comes: a random
// time, so that images that came together drift apart. The zero Interval means
// that an image is looked at only when somebody asks for it.
type Interval struct {
	Min, Max time.Duration
}

// never is when an image is looked at that nobody asks for. It can be added to
// times.
const never = 100 * 365 * 24 * time.Hour

// longestFailing is the longest time between two checks of an image that can't be
// read, unless its interval is longer.
const longestFailing = 6 * time.Hour

// pick returns a time within the interval; random is from 0 to 1.
func (i Interval) pick(random float64) time.Duration {
	if i.Max <= 0 {
		return never
	}
	return i.Min + time.Duration(random*float64(i.Max-i.Min))
}

// after returns how long it is until the next check of an image that has failed
// so often in a row: more and more.
func (i Interval) after(failures int, random float64) time.Duration {
	d := i.pick(random)
	if failures < 2 || i.Max <= 0 {
		return d
	}
	return max(d, pause.Growing(failures, i.Max, max(i.Max, longestFailing), random))
}

// longest returns the longest time that after returns.
func (i Interval) longest(failures int) time.Duration {
	if failures < 2 {
		return i.Max
	}
	return max(i.Max, longestFailing) * 5 / 4
}
