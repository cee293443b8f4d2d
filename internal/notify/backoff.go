package notify

import (
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/pause"
)

const (
	firstPause = 10 * time.Second
	longPause  = time.Hour
	// mostAttempts bounds what the clock would not: it may have been wrong.
	mostAttempts = 60
)

// outage says how the other side failed to take a message.
type outage struct {
	refused bool          // it is there, and does not want this message
	after   time.Duration // that it asks to be left alone for; 0 if it does not say
}

// missed notes an attempt that failed: when the next one is, or that there is
// none.
func (s *Sender) missed(d *drydock.Delivery, a drydock.DeliveryAttempt, out outage) {
	d.Attempts++
	d.Last, d.Blocks = a, !out.refused
	if a.Time.Sub(d.Created) >= giveUpAfter || d.Attempts >= mostAttempts {
		d.Next = time.Time{}
		return
	}
	d.Next = a.Time.Add(max(pause.Growing(d.Attempts, firstPause, longPause, s.Random()), min(out.after, longPause)))
}
