package logs

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
)

// Mask stands in a text where a secret was.
const Mask = "***"

// Masker hides secrets in texts, streams and errors: each value as it is, in
// base64 (standard and URL alphabet, padded or not, broken into lines, or as a
// part of a longer text), escaped as in JSON and as in URLs, and each line of
// a value that has several. Values shorter than MinSecret are left alone. All
// methods may be called from several goroutines. The zero value hides nothing
// until values are added.
type Masker struct {
	mu      sync.Mutex // held by Add
	needles map[string]struct{}
	current atomic.Pointer[automaton]
}

// NewMasker returns a masker of the given values.
func NewMasker(values ...string) *Masker {
	m := &Masker{}
	m.Add(values...)
	return m
}

// Add hides more values. Writers mask them from the next write on, and in what
// they still hold back.
func (m *Masker) Add(values ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := len(m.needles)
	if m.needles == nil {
		m.needles = make(map[string]struct{})
	}
	for _, value := range values {
		for _, form := range forms(value) {
			m.needles[form] = struct{}{}
		}
	}
	if len(m.needles) == known {
		return
	}
	all := make([]string, 0, len(m.needles))
	for needle := range m.needles {
		all = append(all, needle)
	}
	m.current.Store(newAutomaton(all))
}

// String returns s with Mask in place of each secret. Secrets that overlap
// become one Mask.
func (m *Masker) String(s string) string {
	if m.current.Load() == nil {
		return s
	}
	var b bytes.Buffer
	w := m.Writer(&b)
	// A bytes.Buffer fails no write.
	_, _ = io.WriteString(w, s)
	_ = w.Flush()
	return b.String()
}

// Writer returns a writer that masks what it passes on to w.
func (m *Masker) Writer(w io.Writer) *Writer {
	return &Writer{masker: m, dest: w}
}
