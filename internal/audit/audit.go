// Package audit writes down who did what, from where, and what became of it.
//
// A write is noted before it begins and gets its result when it has ended: one
// that a crash cuts off stays in the log as started. A read of a secret is noted
// before its value is given away. Texts of records are printable and bounded.
package audit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Store is where records are kept; a drydock.AuditStore is one.
type Store interface {
	AppendAudit(ctx context.Context, records []drydock.AuditRecord) error
	EndAudit(ctx context.Context, records []drydock.AuditRecord) error
}

// atOnce bounds how many records are written together.
const atOnce = 500

// endWithin is how long the results of writes that have ended may wait to be
// stored.
const endWithin = 200 * time.Millisecond

// Log is an audit log. Records of several goroutines that come at a time are
// stored together: each waits for one write to the disk, and not for those of the
// others. Close writes what is left.
type Log struct {
	store Store
	log   *slog.Logger

	mu     sync.Mutex
	open   []*entry
	ends   []drydock.AuditRecord
	closed bool
	wake   chan struct{} // has one element when there is something to do
	done   chan struct{}
}

// entry is a record that somebody waits for.
type entry struct {
	record drydock.AuditRecord
	stored chan error
}

// errClosed reports that the server is going down.
var errClosed = errors.New("the audit log is closed")

// New returns a Log, which the caller closes.
func New(store Store, log *slog.Logger) *Log {
	l := &Log{store: store, log: log, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go l.run()
	return l
}

// Record returns when a record is stored. It does not end with ctx before that:
// what is recorded may have happened.
func (l *Log) Record(_ context.Context, r drydock.AuditRecord) error {
	e := &entry{clean(r), make(chan error, 1)}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return errClosed
	}
	l.open = append(l.open, e)
	l.mu.Unlock()
	l.nudge()
	return <-e.stored
}

// End sets the result, the status and the detail of a record that was stored. It
// does not wait.
func (l *Log) End(r drydock.AuditRecord) {
	l.mu.Lock()
	l.ends = append(l.ends, clean(r))
	l.mu.Unlock()
	l.nudge()
}

// Close writes what there is. Records that come later are refused.
func (l *Log) Close() error {
	l.mu.Lock()
	was := l.closed
	l.closed = true
	l.mu.Unlock()
	if !was {
		l.nudge()
	}
	<-l.done
	return nil
}

func (l *Log) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run writes what comes until the log is closed.
func (l *Log) run() {
	defer close(l.done)
	var late <-chan time.Time // nil while no results wait
	for {
		due := false
		select {
		case <-l.wake:
		case <-late:
			due = true
		}
		closed, waiting := l.flush(due)
		switch {
		case closed:
			return
		case !waiting:
			late = nil
		case due || late == nil:
			late = time.After(endWithin)
		}
	}
}

// flush writes all records, and results with them or when they are due. It reports
// whether the log is closed, which leaves nothing, and whether results wait.
func (l *Log) flush(due bool) (closed, waiting bool) {
	for {
		l.mu.Lock()
		closed = l.closed
		open := take(&l.open)
		var ends []drydock.AuditRecord
		if len(open) > 0 || due || closed || len(l.ends) >= atOnce {
			ends = take(&l.ends)
		}
		waiting = len(l.ends) > 0
		l.mu.Unlock()
		if len(open) == 0 && len(ends) == 0 {
			return closed, waiting
		}
		l.append(open)
		l.end(ends)
	}
}

// take takes as many of a list as are written together.
func take[T any](from *[]T) []T {
	n := min(len(*from), atOnce)
	taken := (*from)[:n:n]
	*from = (*from)[n:]
	return taken
}

func (l *Log) append(open []*entry) {
	if len(open) == 0 {
		return
	}
	records := make([]drydock.AuditRecord, len(open))
	for i, e := range open {
		records[i] = e.record
	}
	err := l.store.AppendAudit(context.Background(), records)
	for _, e := range open {
		e.stored <- err
	}
}

func (l *Log) end(ends []drydock.AuditRecord) {
	if len(ends) == 0 {
		return
	}
	if err := l.store.EndAudit(context.Background(), ends); err != nil {
		l.log.Error("the results of writes are missing in the audit log, where they stay as started", "records", len(ends), "error", err)
	}
}
