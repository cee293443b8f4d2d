package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Log is the log of one run. Everything in it is masked. All methods may be
// called from several goroutines; what they write is never mixed within a
// line.
type Log struct {
	masker *Masker
	now    func() time.Time

	mu       sync.Mutex
	render   Renderer
	terminal *os.File       // that render writes to; may be nil
	lent     bool           // somebody draws on the terminal
	kept     []func() error // what is to be rendered when it is back
	err      error
}

// Options say where a log goes and how.
type Options struct {
	Renderer Renderer
	Masker   *Masker          // nil for a new one without secrets
	Now      func() time.Time // nil for time.Now
	Terminal *os.File         // what the renderer writes to, if that is a terminal
}

// Renderer gives a log its form. Its methods are never called at the same time.
type Renderer interface {
	// System writes a line of Drydock's own; text is without a final newline.
	System(at time.Time, text string) error
	// Output writes a piece of a step's output.
	Output(piece Piece) error
}

// Piece is a whole line of output or a part of one.
type Piece struct {
	At     time.Time
	Step   string
	Stream string // "stdout" or "stderr"
	Text   []byte // without the newline; valid until Output returns
	End    bool   // the line ends here
}

// New returns a log.
func New(o Options) *Log {
	if o.Masker == nil {
		o.Masker = NewMasker()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Log{masker: o.Masker, now: o.Now, render: o.Renderer, terminal: o.Terminal}
}

// Printf writes a line of Drydock's own.
func (l *Log) Printf(format string, args ...any) {
	text := l.masker.String(fmt.Sprintf(format, args...))
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.now()
	l.write(func() error { return l.render.System(at, text) })
}

// Stream returns a writer for the output of a step; stream is "stdout" or
// "stderr". Both are empty for a text of Drydock's own that stands without a
// time, as ACR's closing lines. Output appears line by line, and a part of a line when it is long
// or when no more of it comes for a moment. The writer may be used from several
// goroutines. It never fails: see Err. Close writes what is left and ends the
// last line; what is written after it is dropped.
func (l *Log) Stream(step, stream string) io.WriteCloser {
	s := &lines{log: l, step: step, stream: stream}
	s.masked = l.masker.Writer(lineSink{s})
	return s
}

// Err returns the first error met in writing the log. A log that can't be
// written stops no step: it is for the caller to judge at the end.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *Log) output(step, stream string, text []byte, end bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	piece := Piece{At: l.now(), Step: step, Stream: stream, Text: text, End: end}
	if l.lent {
		piece.Text = bytes.Clone(text)
	}
	l.write(func() error { return l.render.Output(piece) })
}

func (l *Log) keep(err error) {
	if l.err == nil && err != nil {
		l.err = fmt.Errorf("writing the log: %w", err)
	}
}
