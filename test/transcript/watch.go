package transcript

import (
	"strings"
	"sync"
)

// Watch is a Buffer that says when it holds a text.
type Watch struct {
	// Found is closed as soon as the text was written.
	Found <-chan struct{}

	text  string
	found func()
	b     Buffer
}

// NewWatch returns an empty output that waits for a text.
func NewWatch(text string) *Watch {
	found := make(chan struct{})
	return &Watch{Found: found, text: text, found: sync.OnceFunc(func() { close(found) })}
}

// Write implements io.Writer.
func (w *Watch) Write(p []byte) (int, error) {
	n, err := w.b.Write(p)
	if strings.Contains(w.b.String(), w.text) {
		w.found()
	}
	return n, err
}

// String returns what was written so far.
func (w *Watch) String() string { return w.b.String() }
