package sqlstore

import "sync"

// eventSignal tells those who follow a table that there is something new in it.
// There is one writer at a time, so what was appended is committed, or rolled
// back, before anything else is appended.
type eventSignal struct {
	mu      sync.Mutex
	pending bool
	changed chan struct{} // nil while nobody waits
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

// appended says that the transaction that goes on has something new.
func (e *eventSignal) appended() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = true
}

// committed says that a transaction was committed.
func (e *eventSignal) committed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending && e.changed != nil {
		close(e.changed)
		e.changed = nil
	}
	e.pending = false
}
