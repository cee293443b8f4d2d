package sqlstore

import "sync"

// eventSignal tells those who follow the events that there are new ones. There
// is one writer at a time, so what was appended is committed, or rolled back,
// before anything else is appended.
type eventSignal struct {
	mu      sync.Mutex
	pending bool
	changed chan struct{} // nil while nobody waits
}

// EventsChanged implements drydock.EventStore.
func (s *Store) EventsChanged() <-chan struct{} {
	s.events.mu.Lock()
	defer s.events.mu.Unlock()
	if s.events.changed == nil {
		s.events.changed = make(chan struct{})
	}
	return s.events.changed
}

// appended says that the transaction that goes on has an event.
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
