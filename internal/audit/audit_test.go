package audit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/audit"
)

// store keeps what it is given, when gate lets it.
type store struct {
	gate  chan struct{} // a value for each write
	ended chan struct{} // gets one for each write of results; nil for nobody who waits
	fail  error

	mu      sync.Mutex
	writes  int
	records map[string]drydock.AuditRecord
}

func (s *store) AppendAudit(_ context.Context, records []drydock.AuditRecord) error {
	<-s.gate
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if s.fail != nil {
		return s.fail
	}
	for _, r := range records {
		s.records[r.ID] = r
	}
	return nil
}

func (s *store) EndAudit(_ context.Context, records []drydock.AuditRecord) error {
	s.mu.Lock()
	for _, r := range records {
		s.records[r.ID] = r
	}
	s.mu.Unlock()
	if s.ended != nil {
		s.ended <- struct{}{}
	}
	return nil
}

func open(t *testing.T, s *store) *audit.Log {
	t.Helper()
	l := audit.New(s, slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() { l.Close() })
	return l
}

// Those who come while others are being written are written together, and none
// goes on before its record is kept.
func TestRecordsAreKeptTogether(t *testing.T) {
	t.Parallel()
	s := &store{gate: make(chan struct{}), records: map[string]drydock.AuditRecord{}}
	l := open(t, s)
	const n = 300
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			id := fmt.Sprint(i)
			if err := l.Record(t.Context(), drydock.AuditRecord{ID: id}); err != nil {
				t.Error(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if _, kept := s.records[id]; !kept {
				t.Errorf("%s went on before it was kept", id)
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	for open := true; open; {
		select {
		case s.gate <- struct{}{}:
		case <-done:
			open = false
		}
	}
	if s.writes > n/2 {
		t.Errorf("%d writes for %d records", s.writes, n)
	}
}

func TestEndsAreKeptAtClose(t *testing.T) {
	t.Parallel()
	s := &store{gate: make(chan struct{}, 10), records: map[string]drydock.AuditRecord{}}
	s.gate <- struct{}{}
	l := open(t, s)
	if err := l.Record(t.Context(), drydock.AuditRecord{ID: "a", Result: drydock.AuditStarted}); err != nil {
		t.Fatal(err)
	}
	l.End(drydock.AuditRecord{ID: "a", Result: drydock.AuditSucceeded, Status: 200})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := s.records["a"]; got.Status != 200 || got.Result != drydock.AuditSucceeded {
		t.Errorf("%+v", got)
	}
	if err := l.Record(t.Context(), drydock.AuditRecord{ID: "b"}); err == nil {
		t.Error("a closed log takes records")
	}
}

// Results wait for nobody for long: not for a record that comes, nor for others.
func TestEndsAreKeptSoon(t *testing.T) {
	t.Parallel()
	s := &store{gate: make(chan struct{}, 2), ended: make(chan struct{}), records: map[string]drydock.AuditRecord{}}
	l := open(t, s)
	for _, id := range []string{"a", "b"} {
		s.gate <- struct{}{}
		if err := l.Record(t.Context(), drydock.AuditRecord{ID: id}); err != nil {
			t.Fatal(err)
		}
		l.End(drydock.AuditRecord{ID: id, Status: 200})
		select {
		case <-s.ended:
		case <-time.After(time.Minute):
			t.Fatalf("the result of %s waits on", id)
		}
		s.mu.Lock()
		if s.records[id].Status != 200 {
			t.Errorf("%+v", s.records[id])
		}
		s.mu.Unlock()
	}
}

func TestFailureIsTold(t *testing.T) {
	t.Parallel()
	s := &store{gate: make(chan struct{}, 1), fail: errors.New("full")}
	s.gate <- struct{}{}
	if err := open(t, s).Record(t.Context(), drydock.AuditRecord{}); !errors.Is(err, s.fail) {
		t.Error(err)
	}
}
