package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/queue"
)

// Worker carries out the runs of a queue.
type Worker struct {
	Queue *queue.Queue
	Agent *Agent
	// Drain is how long runs may go on after the worker was told to stop. Those
	// that are not done by then go back to the queue.
	Drain time.Duration
	Log   *slog.Logger
	// Ended is told of each run that has ended; may be nil.
	Ended func(r drydock.RunRecord, o Outcome)
}

// ErrHandedBack is the cause with which a run is stopped that goes back to the
// queue.
var ErrHandedBack error = &engine.HandedBack{Why: "the server ends; the run goes back to the queue"}

// storeGrace is how much longer than Drain the worker tries to store how runs
// ended.
const storeGrace = 15 * time.Second

// Run carries out runs until ctx ends and returns when none goes on any more.
func (w *Worker) Run(ctx context.Context) error {
	var running sync.WaitGroup
	background := context.WithoutCancel(ctx)
	work, handBack := context.WithCancelCause(background)
	defer handBack(nil)
	storing, giveUp := context.WithCancel(background)
	defer giveUp()
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(w.Drain, func() { handBack(ErrHandedBack) })
		time.AfterFunc(w.Drain+storeGrace, giveUp)
	})()
	defer running.Wait() // before what is deferred above
	for {
		claim, err := w.Queue.Claim(ctx)
		if ctx.Err() != nil && claim == nil {
			return nil
		}
		if err != nil {
			if errors.Is(err, queue.ErrClosed) {
				return nil
			}
			w.Log.ErrorContext(ctx, "claiming a run, trying again", "error", err)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			continue
		}
		running.Go(func() { w.carryOut(work, storing, claim) })
	}
}

// carryOut carries out one claimed run, and stores how it ended.
func (w *Worker) carryOut(work, storing context.Context, claim *queue.Claim) {
	ctx, cancel := context.WithCancelCause(claim.Context())
	defer cancel(nil)
	defer context.AfterFunc(work, func() { cancel(context.Cause(work)) })()
	log := w.Log.With("registry", claim.Run.Registry.Name(), "run", claim.Run.ID)
	log.InfoContext(ctx, "run started", "type", claim.Run.Type, "task", claim.Run.Task, "attempt", claim.Run.Attempts)
	o := w.Agent.CarryOut(ctx, claim.Run, claim.Start)
	sealed, err := w.settle(ctx, storing, claim, o)
	if !sealed && o.Log != nil {
		err = errors.Join(err, o.Log.Close())
	}
	if err != nil {
		log.ErrorContext(storing, "ending a run", "status", o.Status, "error", err)
		return
	}
	log.InfoContext(storing, "run ended", "status", claim.Run.Status)
	if w.Ended != nil && claim.Run.Status.Ended() {
		w.Ended(claim.Run, o)
	}
}

// settle stores what became of a run and then tells the readers of its log; it
// reports whether the log is sealed and with it closed.
func (w *Worker) settle(ctx, storing context.Context, claim *queue.Claim, o Outcome) (sealed bool, err error) {
	cause := context.Cause(ctx)
	back := errors.Is(cause, ErrHandedBack) || errors.Is(cause, queue.ErrClosed) || errors.Is(cause, queue.ErrLost)
	if back && o.Status != drydock.RunSucceeded {
		if err := claim.Release(storing); err != nil {
			return false, fmt.Errorf("handing the run back: %w", err)
		}
	} else if err := claim.Finish(storing, o.Status, o.Result); err != nil {
		return false, err
	}
	if o.Log == nil {
		return false, nil
	}
	_, err = o.Log.Write(o.Ending)
	if !claim.Run.Status.Ended() {
		return false, err
	}
	return true, errors.Join(err, o.Log.Seal(claim.Run.Status))
}
