package logs

import (
	"os"

	"github.com/drydockhq/drydock"
)

// Terminal lends out the terminal that the log is written to; nil when it is
// written to something else, or when somebody has the terminal. Until release
// is called the log keeps its lines back.
func (l *Log) Terminal() (t drydock.Terminal, release func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.terminal == nil || l.lent {
		return nil, nil
	}
	l.lent = true
	masked := l.masker.Writer(l.terminal)
	return &terminal{file: l.terminal, masked: masked}, func() {
		// The writer of a terminal that is gone fails at the next line too.
		_ = masked.Flush()
		l.giveBack()
	}
}

// giveBack writes what was kept back.
func (l *Log) giveBack() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent = false
	for _, write := range l.kept {
		l.keep(write())
	}
	l.kept = nil
}

// write carries out a call of the renderer now, or when the terminal is back.
// The caller holds the lock.
func (l *Log) write(call func() error) {
	if l.lent {
		l.kept = append(l.kept, call)
		return
	}
	l.keep(call())
}

// terminal masks what is written to a terminal. It hides the file's other ways
// to write.
type terminal struct {
	file   *os.File
	masked *Writer
}

// Write implements io.Writer.
func (t *terminal) Write(p []byte) (int, error) { return t.masked.Write(p) }

// Read implements io.Reader.
func (t *terminal) Read(p []byte) (int, error) { return t.file.Read(p) }

// Close does nothing: the terminal is lent.
func (*terminal) Close() error { return nil }

// Fd implements drydock.Terminal.
func (t *terminal) Fd() uintptr { return t.file.Fd() }

// Name implements drydock.Terminal.
func (t *terminal) Name() string { return t.file.Name() }
