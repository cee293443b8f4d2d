package upstream

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Config is what a Watcher needs.
type Config struct {
	Watched  Watched
	Store    Store
	Resolver Resolver
	// Interval returns how often images of a host are looked at.
	Interval func(host string) Interval
	Now      func() time.Time
	NewID    func() string
	Random   func() float64 // from 0 to 1
	Log      *slog.Logger

	Timeout time.Duration // of a check; 2 minutes if 0
	Refresh time.Duration // between two looks at what is watched; 30 s if 0
}

const (
	hostChecks = 4  // of one host at a time
	allChecks  = 32 // at a time
	// checkGap is what lies between two checks of an image at least, however
	// often somebody asks.
	checkGap = 2 * time.Second
	// again is when an image is looked at once more after somebody said that it
	// has changed and it had not: a cache on the way may be slow.
	again = time.Minute
)

// Watcher looks at images when they are due. The times of checks that are to come
// are kept as what is left until then, so that a clock that jumps moves none of
// them. Its methods may be called from several goroutines.
type Watcher struct {
	c     Config
	epoch time.Time
	sync  chan struct{} // what is watched may have changed
	wake  chan struct{} // the schedule may have changed

	mu       sync.Mutex
	images   map[drydock.ImageName]*image
	paths    map[string][]*image // by repository
	hosts    map[string]*host
	schedule schedule
	ready    []*host // with images that wait and may be checked
	running  int
}

// image is an image that is watched.
type image struct {
	entry
	poll    drydock.ImagePoll // as it is stored
	host    *host
	checked time.Duration // when the latest check began, since the watcher was made
	asked   bool          // somebody wants it checked
	again   bool          // somebody wanted the check that goes on
	gone    bool          // nobody watches it any more
}

// New returns a Watcher, which looks at nothing until it runs.
func New(c Config) *Watcher {
	if c.Timeout == 0 {
		c.Timeout = 2 * time.Minute
	}
	if c.Refresh == 0 {
		c.Refresh = 30 * time.Second
	}
	return &Watcher{
		c: c, epoch: time.Now(), sync: make(chan struct{}, 1), wake: make(chan struct{}, 1),
		images: map[drydock.ImageName]*image{}, paths: map[string][]*image{}, hosts: map[string]*host{},
	}
}

// elapsed is the time on the watcher's own clock, which never jumps.
func (w *Watcher) elapsed() time.Duration { return time.Since(w.epoch) }

// Run looks at images until ctx ends, and waits for the checks that go on then.
// It is called once.
func (w *Watcher) Run(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	work.Go(func() { w.follow(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		case <-timer.C:
		}
		due, wait := w.due()
		for _, im := range due {
			work.Go(func() { w.check(ctx, im) })
		}
		timer.Reset(wait)
	}
}

// signal says something to whoever listens, once.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// maxSleep bounds how long nothing is looked at.
const maxSleep = time.Hour

// due returns the images that are to be checked now, and how long it is until
// the next may be.
func (w *Watcher) due() ([]*image, time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.elapsed()
	for e := w.schedule.next(now); e != nil; e = w.schedule.next(now) {
		if e.image == nil {
			w.offer(e.host)
			continue
		}
		e.image.host.enqueue(e.image)
		w.offer(e.image.host)
	}
	var due []*image
	for len(w.ready) > 0 && w.running < allChecks {
		h := w.ready[0]
		w.ready = w.ready[1:]
		h.offered = false
		if !h.mayCheck() || h.paused > now { // since it was offered
			w.offer(h)
			continue
		}
		im := h.dequeue()
		im.checked, im.again, im.asked = now, im.asked, false
		h.running++
		w.running++
		due = append(due, im)
		w.offer(h)
	}
	if len(w.schedule) == 0 {
		return due, maxSleep
	}
	return due, min(w.schedule[0].at-now, maxSleep)
}

// offer puts a host among those that are ready, if it is.
func (w *Watcher) offer(h *host) {
	if h.offered || !h.mayCheck() {
		return
	}
	if now := w.elapsed(); h.paused > now {
		h.at = h.paused
		w.schedule.put(&h.entry)
		return
	}
	h.offered = true
	w.ready = append(w.ready, h)
}
