package runner_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/runner"
	"github.com/drydockhq/drydock/internal/storetest"
)

// shop is a worker on a queue in memory.
type shop struct {
	*server
	store  *storetest.Memory
	queue  *queue.Queue
	worker *runner.Worker
	stop   context.CancelFunc
	done   chan error

	mu    sync.Mutex
	ended []drydock.RunStatus
}

func newShop(t *testing.T, drain time.Duration) *shop {
	t.Helper()
	s := &shop{server: &server{}, store: storetest.NewMemory(contoso), done: make(chan error, 1)}
	var err error
	s.queue, err = queue.Open(t.Context(), queue.Config{Runs: s.store, Owner: "me", Alone: true, Slots: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.queue.Close)
	s.worker = &runner.Worker{
		Queue: s.queue, Agent: s.agent(&enginetest.Fake{}), Drain: drain, Log: slog.New(slog.DiscardHandler),
		Ended: func(r drydock.RunRecord, _ runner.Outcome) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended = append(s.ended, r.Status)
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	s.stop = stop
	go func() { s.done <- s.worker.Run(ctx) }()
	t.Cleanup(stop)
	return s
}

func (s *shop) enqueue(t *testing.T, env string) string {
	t.Helper()
	r := record(t, drydock.RunRequest{Kind: drydock.EncodedTaskRun, TaskContent: []byte("steps:\n- cmd: image\n  env: ['" + env + "']\n")})
	r, err := s.queue.Enqueue(t.Context(), drydock.RunRecord{Registry: contoso, Request: r.Request, Created: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// wait waits until a run is in a state.
func (s *shop) wait(t *testing.T, id string, status drydock.RunStatus) drydock.RunRecord {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		r, err := s.store.Run(t.Context(), contoso, id)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status == status {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("run %s is %s, not %s", id, r.Status, status)
		}
	}
}

func TestWorkerFinishesRuns(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Second)
	good, bad := s.enqueue(t, "FAKE_OUT=hi"), s.enqueue(t, "FAKE_STATUS=9")
	if r := s.wait(t, good, drydock.RunSucceeded); r.Owner != "" || r.Finished.IsZero() {
		t.Errorf("%+v", r)
	}
	if r := s.wait(t, bad, drydock.RunFailed); !strings.Contains(string(r.Result), "exit status 9") {
		t.Errorf("%s", r.Result)
	}
	long := s.enqueue(t, "FAKE_TIME=1h")
	s.wait(t, long, drydock.RunRunning)
	if _, err := s.queue.Cancel(t.Context(), contoso, long); err != nil {
		t.Fatal(err)
	}
	s.wait(t, long, drydock.RunCanceled)
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(s.log.String(), "the run was canceled: a client has asked for it") {
		t.Error(s.log.String())
	}
	if len(s.ended) != 3 || s.sealed != drydock.RunCanceled {
		t.Errorf("%v ended, the log is sealed as %s", s.ended, s.sealed)
	}
}

func TestWorkerHandsBackWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	s := newShop(t, 10*time.Millisecond)
	id := s.enqueue(t, "FAKE_TIME=1h")
	s.wait(t, id, drydock.RunRunning)
	s.stop()
	if err := <-s.done; err != nil {
		t.Error(err)
	}
	r := s.wait(t, id, drydock.RunQueued)
	if r.Attempts != 0 || r.Owner != "" || s.sealed != "" || len(s.ended) != 0 {
		t.Errorf("%+v, the log is sealed as %q", r, s.sealed)
	}
	if log := s.log.String(); !strings.Contains(log, runner.ErrHandedBack.Error()) || strings.Contains(log, "was canceled") {
		t.Error(s.log.String())
	}
}

// A run that another server has now is none of this one's business.
func TestWorkerLetsGoOfLostRuns(t *testing.T) {
	t.Parallel()
	s := newShop(t, time.Second)
	id := s.enqueue(t, "FAKE_TIME=1h")
	s.wait(t, id, drydock.RunRunning)
	_, err := s.store.UpdateRun(t.Context(), contoso, id, func(r *drydock.RunRecord) error {
		r.Owner = "somebody else"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// The slot is free again when the worker has let go.
	next := s.enqueue(t, "FAKE_OUT=next")
	s.wait(t, next, drydock.RunSucceeded)
	if r := s.wait(t, id, drydock.RunRunning); r.Owner != "somebody else" {
		t.Errorf("%+v", r)
	}
	s.stop()
	if err := <-s.done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
