// Package audit writes down who did what, from where, and what became of it.
//
// A write is noted before it begins and gets its result when it has ended: one
// that a crash cuts off stays in the log as started. A read of a secret is noted
// before its value is given away.
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
	e := &entry{r, make(chan error, 1)}
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
	l.ends = append(l.ends, r)
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
	late := time.NewTimer(endWithin)
	defer late.Stop()
	for {
		force := false
		select {
		case <-l.wake:
		case <-late.C:
			force = true
		}
		closed, left := l.flush(force)
		if closed && !left {
			return
		}
		if closed || left {
			l.nudge()
		}
		late.Reset(endWithin)
	}
}

// flush writes records, and results with them or when they have waited.
func (l *Log) flush(force bool) (closed, left bool) {
	l.mu.Lock()
	n := min(len(l.open), atOnce)
	open := l.open[:n:n]
	l.open = l.open[n:]
	closed = l.closed
	var ends []drydock.AuditRecord
	if n > 0 || force || closed || len(l.ends) >= atOnce {
		n := min(len(l.ends), atOnce)
		ends, l.ends = l.ends[:n:n], l.ends[n:]
	}
	left = len(l.open) > 0 || closed && len(l.ends) > 0
	l.mu.Unlock()
	l.append(open)
	l.end(ends)
	return closed, left
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
