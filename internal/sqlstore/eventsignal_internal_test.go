package sqlstore

import (
	"database/sql"
	"testing"
)

// A transaction may append before it is told that the one before was committed:
// who waits is woken by each.
func TestSignalsOfTransactionsThatMeet(t *testing.T) {
	t.Parallel()
	var e eventSignal
	first, second, undone := &sql.Tx{}, &sql.Tx{}, &sql.Tx{}
	closed := func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	}
	before := e.wait()
	e.appended(second)
	e.ended(first, true) // it has appended nothing
	if closed(before) {
		t.Error("woken before anything was committed")
	}
	e.appended(undone)
	e.ended(undone, false)
	if closed(before) {
		t.Error("woken by what was rolled back")
	}
	e.ended(second, true)
	if !closed(before) {
		t.Error("not woken by what was committed")
	}
	if after := e.wait(); closed(after) {
		t.Error("woken by what was there before")
	}
}
