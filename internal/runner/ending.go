package runner

import (
	"io"
	"slices"
	"sync"
)

// ending is a log whose last lines are held back. They say that the run has
// ended, which is so when the store has it: a server that is killed before
// leaves a log that does not say it, and a run that is carried out again.
type ending struct {
	mu   sync.Mutex
	log  io.Writer
	held bool
	text []byte
}

// hold keeps what is written from now on.
func (e *ending) hold() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = true
}

// bytes returns what was held back so far.
func (e *ending) bytes() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.text)
}

// Write implements io.Writer.
func (e *ending) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.held {
		return e.log.Write(p)
	}
	e.text = append(e.text, p...)
	return len(p), nil
}
