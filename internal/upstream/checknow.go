package upstream

import (
	"github.com/drydockhq/drydock"
)

// Hint says that images may have changed: a tag of a repository, or all that are
// watched when the tag is empty.
type Hint struct {
	// Host is the registry as it calls itself; empty if it doesn't say.
	Host       string
	Repository string
	Tag        string
}

// CheckNow looks at an image at once if it is watched, and reports whether it
// is. Asking often has no more effect than asking once: checks of an image are a
// few seconds apart, and a host that is left alone stays so.
func (w *Watcher) CheckNow(image drydock.ImageName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	im := w.images[image.Tagged()]
	if im == nil {
		return false
	}
	w.hurry(im)
	signal(w.wake)
	return true
}

// Hint looks at the images that are watched and that a hint is about, and returns
// how many those are. A registry need not know the name by which it is reached
// here: if no image is watched there, all registries with such a repository are
// meant.
func (w *Watcher) Hint(hint Hint) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	var here, anywhere []*image
	host := drydock.RegistryHost(hint.Host)
	for _, im := range w.paths[hint.Repository] {
		if hint.Tag != "" && hint.Tag != im.poll.Image.Tag {
			continue
		}
		anywhere = append(anywhere, im)
		if hint.Host != "" && im.poll.Image.Registry == host {
			here = append(here, im)
		}
	}
	if len(here) == 0 {
		here = anywhere
	}
	for _, im := range here {
		w.hurry(im)
	}
	signal(w.wake)
	return len(here)
}

// hurry makes an image due, after the least time since its last check.
func (w *Watcher) hurry(im *image) {
	if im.asked {
		return
	}
	im.asked = true
	switch {
	case im.index >= 0: // it sleeps
		im.at = min(im.at, max(w.elapsed(), im.checked+checkGap))
		w.schedule.put(&im.entry)
	case im.host.leave(im): // it waits for its turn
		im.host.enqueue(im)
	}
	// Else it is being checked, and will be once more.
}
