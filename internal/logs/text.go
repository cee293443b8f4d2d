package logs

import (
	"io"
	"time"
)

// stamp is the layout of Go's log package, which ACR's log has.
const stamp = "2006/01/02 15:04:05 "

// Text renders a log as ACR does: lines of Drydock's own begin with the time
// in UTC, output is as the step wrote it. The zero value is not ready; use
// NewText.
type Text struct {
	w      io.Writer
	buf    []byte          // reused
	open   bool            // the last line is not ended
	owner  source          // whose it is
	broken map[source]bool // their open line was ended by a line of another
}

type source struct{ step, stream string }

var _ Renderer = (*Text)(nil)

// NewText returns a renderer that writes to w, one write for each line or
// piece.
func NewText(w io.Writer) *Text { return &Text{w: w, broken: make(map[source]bool)} }

// System implements Renderer. A line of a step that is still open is ended
// first.
func (t *Text) System(at time.Time, text string) error {
	t.begin()
	t.buf = at.UTC().AppendFormat(t.buf, stamp)
	t.buf = append(t.buf, text...)
	return t.flush(true)
}

// Output implements Renderer. A line of another step that is still open is
// ended first.
func (t *Text) Output(p Piece) error {
	from := source{p.Step, p.Stream}
	if t.broken[from] {
		delete(t.broken, from)
		if p.End && len(p.Text) == 0 {
			return nil
		}
	}
	switch {
	case !t.open || t.owner.step != from.step:
		t.begin()
	case t.owner != from && p.End:
		t.broken[t.owner] = true
		fallthrough
	default:
		t.buf = t.buf[:0]
	}
	t.buf = append(t.buf, p.Text...)
	t.owner = from
	return t.flush(p.End)
}

func (t *Text) begin() {
	t.buf = t.buf[:0]
	if t.open {
		t.buf = append(t.buf, '\n')
		t.broken[t.owner] = true
	}
}

func (t *Text) flush(end bool) error {
	if t.open = !end; end {
		t.buf = append(t.buf, '\n')
	}
	_, err := t.w.Write(t.buf)
	return err
}
