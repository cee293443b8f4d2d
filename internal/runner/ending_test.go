package runner_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/runner"
	"github.com/drydockhq/drydock/internal/storetest"
)

// witness is a store that tells when a run comes to its end, and may be gone at
// that moment.
type witness struct {
	drydock.RunStore
	gone  bool
	ended chan struct{}
}

func (w *witness) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	end := false
	r, err := w.RunStore.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
		err := change(r)
		if end = r.Status.Ended(); err == nil && end && w.gone {
			return errors.New("the store is gone")
		}
		return err
	})
	if end {
		close(w.ended)
	}
	return r, err
}

// live is one life of a server, in which a run comes to its end.
func (s *server) live(t *testing.T, store drydock.RunStore, gone bool) {
	t.Helper()
	w := &witness{store, gone, make(chan struct{})}
	q, err := queue.Open(t.Context(), queue.Config{Runs: w, Owner: time.Now().String(), Alone: true, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	worker := &runner.Worker{Queue: q, Agent: s.agent(&enginetest.Fake{}), Drain: time.Minute, Log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	<-w.ended
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A log does not say that a run ended of whose end the store did not get to know:
// it is carried out again, and comes to one end.
func TestLogEndsAfterTheRun(t *testing.T) {
	t.Parallel()
	s, store := &server{}, storetest.NewMemory(contoso)
	r := record(t, drydock.RunRequest{Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps:\n- cmd: image\n  env: [FAKE_OUT=hi]\n")})
	r, err := store.CreateRun(t.Context(), drydock.RunRecord{Registry: contoso, Request: r.Request, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s.live(t, store, true)
	if log := s.log.String(); !strings.Contains(log, "hi") || strings.Contains(log, "Run ID:") || s.sealed != "" {
		t.Errorf("the log of a run without an end, sealed as %q:\n%s", s.sealed, log)
	}
	s.live(t, store, false)
	if r, err = store.Run(t.Context(), contoso, r.ID); err != nil {
		t.Fatal(err)
	}
	ends := strings.Count(s.log.String(), "Run ID: "+r.ID+" was successful")
	if r.Status != drydock.RunSucceeded || r.Attempts != 2 || ends != 1 || s.sealed != drydock.RunSucceeded {
		t.Errorf("%s after %d attempts, sealed as %q:\n%s", r.Status, r.Attempts, s.sealed, s.log.String())
	}
}
