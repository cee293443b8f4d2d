package upstream

import (
	"errors"
	"time"

	"github.com/drydockhq/drydock"
)

// settle draws the conclusions for a host from the answer to a check that began
// at a time. It returns the host's pause if that is to be stored.
func (w *Watcher) settle(h *host, began time.Duration, answer Answer, err error) *drydock.RegistryPause {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.elapsed()
	if !hostTrouble(err) && answer.Pause == 0 {
		return w.recovered(h, began)
	}
	told, limited := answer.Pause, answer.Pause > 0
	var wait *WaitError
	if errors.As(err, &wait) {
		told, limited = wait.After, true
	}
	// Checks that went on together fail together: that counts once.
	if err != nil && began >= h.since {
		h.failures++
	}
	interval := w.c.Interval(h.name)
	until := now + h.pauseAfter(limited, told, interval, w.c.Random())
	if until <= h.paused || began < h.since && told == 0 {
		return nil
	}
	h.paused, h.since = until, now
	h.reason = "it has asked not to be asked"
	if err != nil {
		h.reason = brief(err)
	}
	w.c.Log.Warn("a registry is left alone for a while", "registry", h.name, "for", (until - now).Round(time.Second).String(),
		"failures", h.failures, "reason", h.reason)
	return &drydock.RegistryPause{Host: h.name, Until: w.c.Now().Add(until - now), Failures: h.failures, Reason: h.reason}
}

// recovered notes that a host answers. A check from before its pause proves
// nothing.
func (w *Watcher) recovered(h *host, began time.Duration) *drydock.RegistryPause {
	if h.reason == "" || began < h.since {
		return nil
	}
	if h.failures > 0 {
		w.c.Log.Info("a registry answers again", "registry", h.name)
	}
	h.failures, h.reason, h.paused = 0, "", 0
	return &drydock.RegistryPause{Host: h.name}
}
