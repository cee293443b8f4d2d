package notify

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Targets knows where messages go.
type Targets interface {
	// DeliveryTarget returns where the messages of an owner go. One that has no
	// target, or is gone, is an error with code NotFound.
	DeliveryTarget(ctx context.Context, owner drydock.ResourceID) (drydock.DeliveryTarget, error)
}

// Sender sends messages. Those of an owner are tried first in their order, one
// at a time; while the other side is away, they wait for the oldest. One that is
// refused is tried again too, and holds nothing up. A message may come twice,
// under the same id, when the server was killed before it had noted that it was
// taken. The fields are set before Run.
type Sender struct {
	Store   Store
	Sealer  Sealer
	Targets Targets
	// HTTP sends; its redirects are not followed. NewClient makes one that keeps
	// to a policy.
	HTTP *http.Client
	Now  func() time.Time
	Log  *slog.Logger
	// Random returns a number from 0 to below 1, by which times between attempts
	// differ.
	Random func() float64
}

const (
	atOnce       = 8              // messages that are sent at a time
	giveUpAfter  = 24 * time.Hour // since a message was stored
	lookEvery    = time.Minute    // for those that other servers stored
	cleanEvery   = time.Hour      //
	keptFor      = 30 * 24 * time.Hour
	keptMessages = 500 // of an owner
)

// flight are the messages that are being sent.
type flight struct {
	mu      sync.Mutex
	numbers map[int64]bool
	landed  chan struct{} // has something when one is done
	sending sync.WaitGroup
}

// Run sends until ctx ends, and waits for what is being sent.
func (s *Sender) Run(ctx context.Context) {
	f := &flight{numbers: map[int64]bool{}, landed: make(chan struct{}, 1)}
	defer f.sending.Wait()
	clean := time.NewTicker(cleanEvery)
	defer clean.Stop()
	wait := time.NewTimer(0)
	defer wait.Stop()
	for ctx.Err() == nil {
		changed := s.Store.DeliveriesChanged()
		next, err := s.launch(ctx, f)
		pause := lookEvery
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.ErrorContext(ctx, "reading the messages to be sent, trying again", "error", err)
			pause, changed = time.Second, nil
		case !next.IsZero():
			pause = max(0, min(pause, next.Sub(s.Now())))
		}
		wait.Reset(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-f.landed:
		case <-wait.C:
		case <-clean.C:
			if err := s.Store.DeleteDeliveries(ctx, s.Now().Add(-keptFor), keptMessages); err != nil && ctx.Err() == nil {
				s.Log.WarnContext(ctx, "removing old messages", "error", err)
			}
		}
	}
}

// launch begins to send what is due, and returns when something else is.
func (s *Sender) launch(ctx context.Context, f *flight) (time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	free := atOnce - len(f.numbers)
	if free == 0 {
		return time.Time{}, nil
	}
	due, next, err := s.Store.DueDeliveries(ctx, s.Now(), atOnce+len(f.numbers))
	if err != nil {
		return time.Time{}, err
	}
	for _, d := range due {
		if f.numbers[d.Number] || free == 0 {
			continue
		}
		free--
		f.numbers[d.Number] = true
		f.sending.Go(func() {
			s.deliver(ctx, d)
			f.mu.Lock()
			delete(f.numbers, d.Number)
			f.mu.Unlock()
			select {
			case f.landed <- struct{}{}:
			default:
			}
		})
	}
	return next, nil
}

// deliver tries to deliver a message, and notes what became of it.
func (s *Sender) deliver(ctx context.Context, d drydock.Delivery) {
	log := s.Log.With("owner", d.Owner.String(), "action", d.Action, "message", d.ID)
	target, err := s.Targets.DeliveryTarget(ctx, d.Owner)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		d.Next = time.Time{}
		d.Last = drydock.DeliveryAttempt{Time: s.Now(), Reason: "there is nobody to be told any more"}
	case err != nil:
		s.missed(&d, drydock.DeliveryAttempt{Time: s.Now(), Reason: "the target can't be read now"}, outage{})
		log.ErrorContext(ctx, "reading the target of a message, trying again", "error", err)
	case target.Disabled:
		s.missed(&d, drydock.DeliveryAttempt{Time: s.Now(), Reason: "disabled"}, outage{})
	default:
		body, err := s.Sealer.Open(d.Body, purpose(d.Owner))
		if err != nil {
			log.ErrorContext(ctx, "a message can't be read, and is not sent", "error", err)
			d.Next, d.Last = time.Time{}, drydock.DeliveryAttempt{Time: s.Now(), Reason: "the message can't be read"}
			break
		}
		s.attempt(ctx, &d, target, body)
	}
	if ctx.Err() != nil && d.Taken.IsZero() {
		return // it will be tried again at the next start
	}
	if d.Taken.IsZero() && d.Next.IsZero() {
		log.WarnContext(ctx, "a message was given up", "attempts", d.Attempts, "reason", d.Last.Reason, "status", d.Last.Status)
	}
	// What was taken is noted also when the server ends.
	if err := s.Store.UpdateDelivery(context.WithoutCancel(ctx), d); err != nil {
		log.ErrorContext(ctx, "noting what became of a message; it may be sent twice", "error", err)
	}
}

// attempt sends a message once.
func (s *Sender) attempt(ctx context.Context, d *drydock.Delivery, target drydock.DeliveryTarget, body []byte) {
	a, out := s.post(ctx, *d, target, body)
	if out != nil {
		s.missed(d, a, *out)
		return
	}
	d.Attempts++
	d.Last, d.Taken, d.Next = a, a.Time, time.Time{}
}
