package upstream

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/pause"
)

// Sync says that what is watched may have changed. What is new is looked at
// soon.
func (w *Watcher) Sync() { signal(w.sync) }

// syncGap is what lies between two looks at what is watched at least.
const syncGap = time.Second

// follow keeps the schedule to what is watched.
func (w *Watcher) follow(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	gap := syncGap
	for loaded, said := false, ""; ; {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-w.sync:
			select { // several changes in a row are one
			case <-ctx.Done():
				return
			case <-time.After(gap):
			}
			select {
			case <-w.sync:
			default:
			}
		}
		wait, began := w.c.Refresh, time.Now()
		switch err := w.refresh(ctx, !loaded); {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(wait, 5*time.Second)
			if err.Error() != said {
				w.c.Log.ErrorContext(ctx, "finding out which images are watched, trying again", "error", err)
			}
			said = err.Error()
		default:
			loaded, said = true, ""
		}
		// With very many images it takes its time; the server has other things to do.
		gap = max(syncGap, 20*time.Since(began))
		timer.Reset(wait)
	}
}

// refresh takes up what is watched now, and drops what is not any more. The
// first time it also reads what is stored.
func (w *Watcher) refresh(ctx context.Context, first bool) error {
	watched, err := w.c.Watched.WatchedImages(ctx)
	if err != nil {
		return err
	}
	known := map[drydock.ImageName]drydock.ImagePoll{}
	if first {
		if known, err = w.load(ctx); err != nil {
			return err
		}
	}
	dropped := w.take(watched, known)
	signal(w.wake)
	for _, image := range dropped {
		if err := w.c.Store.DeleteImagePoll(ctx, image); err != nil {
			return err
		}
	}
	return nil
}

// load reads what is stored of images, and takes over the pauses of hosts.
func (w *Watcher) load(ctx context.Context) (map[drydock.ImageName]drydock.ImagePoll, error) {
	polls, err := w.c.Store.ImagePolls(ctx)
	if err != nil {
		return nil, err
	}
	pauses, err := w.c.Store.RegistryPauses(ctx)
	if err != nil {
		return nil, err
	}
	known := map[drydock.ImageName]drydock.ImagePoll{}
	for _, p := range polls {
		known[p.Image] = p
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now, wall := w.elapsed(), w.c.Now()
	for _, p := range pauses {
		h := w.host(p.Host)
		h.failures, h.reason, h.since = p.Failures, p.Reason, now
		// A clock that was wrong when this was stored must not stop all checks.
		h.paused = now + min(max(p.Until.Sub(wall), 0), pause.Longest)
	}
	return known, nil
}

// take makes the images that are watched those of the schedule. It returns those
// that are not watched any more.
func (w *Watcher) take(watched []drydock.ImageName, known map[drydock.ImageName]drydock.ImagePoll) []drydock.ImageName {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.elapsed()
	wanted := make(map[drydock.ImageName]bool, len(watched))
	for _, name := range watched {
		wanted[name] = true
		if w.images[name] == nil {
			w.add(name, known[name], now)
		}
		delete(known, name)
	}
	var dropped []drydock.ImageName
	for name, im := range w.images {
		if !wanted[name] {
			w.drop(im)
			dropped = append(dropped, name)
		}
	}
	for name := range known {
		dropped = append(dropped, name)
	}
	return dropped
}

// add puts an image into the schedule: one of which nothing is known at once.
func (w *Watcher) add(name drydock.ImageName, poll drydock.ImagePoll, now time.Duration) {
	h := w.host(name.Registry)
	im := &image{entry: entry{index: -1}, poll: poll, host: h, checked: now - checkGap}
	im.image = im
	im.poll.Image = name
	w.images[name] = im
	w.paths[name.Repository] = append(w.paths[name.Repository], im)
	im.at = now + w.left(im.poll)
	w.schedule.put(&im.entry)
}

// left returns how long it is until an image is due that was scheduled by an
// earlier life of the server.
func (w *Watcher) left(p drydock.ImagePoll) time.Duration {
	interval := w.c.Interval(p.Image.Registry)
	switch {
	case interval.Max <= 0:
		return never
	case p.Next.IsZero():
		return 0
	}
	left := p.Next.Sub(w.c.Now())
	if left <= 0 {
		// All are due that became so while the server was down: not all at once.
		return time.Duration(w.c.Random() * float64(min(interval.Min/2, 30*time.Second)))
	}
	if limit := interval.longest(p.Failures); left > limit {
		return interval.pick(w.c.Random()) // the setting or the clock was another
	}
	return left
}

// drop forgets an image. A check of it that goes on ends without a trace.
func (w *Watcher) drop(im *image) {
	im.gone = true
	w.schedule.remove(&im.entry)
	im.host.leave(im)
	name := im.poll.Image
	delete(w.images, name)
	w.paths[name.Repository] = slices.DeleteFunc(w.paths[name.Repository], func(other *image) bool { return other == im })
	if len(w.paths[name.Repository]) == 0 {
		delete(w.paths, name.Repository)
	}
}

// host returns the host of a name, which it makes if need be.
func (w *Watcher) host(name string) *host {
	h := w.hosts[name]
	if h == nil {
		h = &host{entry: entry{index: -1}, name: name}
		h.entry.host = h
		w.hosts[name] = h
	}
	return h
}

// String names the image, for logs.
func (im *image) String() string { return fmt.Sprint(im.poll.Image) }
