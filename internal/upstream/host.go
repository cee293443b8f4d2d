package upstream

import (
	"slices"
	"time"

	"github.com/drydockhq/drydock/internal/pause"
)

// host is a registry whose images are watched. Limits count per registry and
// address, so all of its images wait together.
type host struct {
	entry
	name     string
	queue    []*image      // that are due, the first first
	offered  bool          // it is among those that are ready
	running  int           // checks that go on
	paused   time.Duration // until when it is not asked, since the watcher was made
	since    time.Duration // when the pause was made
	failures int           // in a row
	reason   string        // of the pause
}

// mayCheck reports whether an image waits and another check may begin, but for a
// pause. While it is not known whether the host has recovered, one check goes on
// at a time.
func (h *host) mayCheck() bool {
	limit := hostChecks
	if h.failures > 0 {
		limit = 1
	}
	return len(h.queue) > 0 && h.running < limit
}

// enqueue lets an image wait for its turn; one that somebody asks for comes
// before the others.
func (h *host) enqueue(im *image) {
	if im.asked {
		h.queue = slices.Insert(h.queue, 0, im)
		return
	}
	h.queue = append(h.queue, im)
}

func (h *host) dequeue() *image {
	im := h.queue[0]
	h.queue[0] = nil
	h.queue = h.queue[1:]
	return im
}

// leave takes an image out of the queue, and reports whether it was in it.
func (h *host) leave(im *image) bool {
	i := slices.Index(h.queue, im)
	if i >= 0 {
		h.queue = slices.Delete(h.queue, i, i+1)
	}
	return i >= 0
}

const (
	firstPause   = 30 * time.Second // of a host that doesn't answer
	longestPause = 30 * time.Minute
	firstLimit   = time.Minute // of a host that limits requests and doesn't say for how long
	longestLimit = time.Hour
)

// pauseAfter returns how long a host is left alone after a failure: told is what
// it asked for, 0 for nothing.
func (h *host) pauseAfter(limited bool, told time.Duration, interval Interval, random float64) time.Duration {
	switch {
	case told > 0:
		told = min(told, pause.Longest)
		return told + time.Duration(random*float64(min(told/10, time.Minute)))
	case limited:
		return pause.Growing(h.failures, firstLimit, longestLimit, random)
	}
	first := firstPause
	if interval.Max > 0 {
		// A host that is asked every second is not left alone for longer than that
		// when it fails once.
		first = max(min(first, interval.Min), time.Second)
	}
	return pause.Growing(h.failures, first, longestPause, random)
}
