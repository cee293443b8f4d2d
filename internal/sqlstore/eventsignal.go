package sqlstore

import (
	"database/sql"
	"sync"
)

// eventSignal tells those who follow a table that there is something new in it.
// One transaction may append while it is still to be told that the one before was
// committed.
type eventSignal struct {
	mu      sync.Mutex
	pending map[*sql.Tx]bool // transactions that have appended something
	changed chan struct{}    // nil while nobody waits
}

// EventsChanged implements drydock.EventStore.
func (s *Store) EventsChanged() <-chan struct{} { return s.events.wait() }

// DeliveriesChanged implements drydock.DeliveryStore.
func (s *Store) DeliveriesChanged() <-chan struct{} { return s.deliveries.wait() }

// wait returns what is closed when something was appended after the call.
func (e *eventSignal) wait() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.changed == nil {
		e.changed = make(chan struct{})
	}
	return e.changed
}

// appended says that a transaction that goes on has something new.
func (e *eventSignal) appended(tx *sql.Tx) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending == nil {
		e.pending = map[*sql.Tx]bool{}
	}
	e.pending[tx] = true
}

// ended says that a transaction was committed, or wasn't.
func (e *eventSignal) ended(tx *sql.Tx, committed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if committed && e.pending[tx] && e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
	delete(e.pending, tx)
}
