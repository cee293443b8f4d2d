// Package transcript keeps what programs print, for tests.
package transcript

import (
	"strings"
	"sync"
)

// Buffer keeps what several goroutines write, and can be read meanwhile. Its zero
// value is empty and ready.
type Buffer struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
