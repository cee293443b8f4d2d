package logs

import "io"

// Writer masks a stream. It finds secrets that are split across writes by
// holding back the bytes at the end that may be the beginning of one: at most
// the longest secret's length less one, and none as a rule. It is not safe for
// concurrent use.
type Writer struct {
	masker *Masker
	dest   io.Writer
	using  *automaton // what at and held were made with
	at     int32      // the automaton's state after held
	held   []byte
	spans  []span // of secrets, in order, none overlapping; counted from the first byte of held
	inside bool   // the Mask of the first span, which begins at 0 or before, is written already
	text   []byte // reused: held and what follows
	out    []byte // reused
}

// span is a part of a text, from its first byte to the one after its last.
type span struct{ from, to int }

// Write masks p and passes on what can't be part of a secret that is still to
// be completed. It returns len(p) unless the underlying writer fails.
func (w *Writer) Write(p []byte) (int, error) {
	text := p
	if len(w.held) > 0 {
		w.text = append(append(w.text[:0], w.held...), p...)
		text = w.text
	}
	from := len(w.held)
	if current := w.masker.current.Load(); current != w.using {
		w.using, w.at, from = current, 0, 0
		w.forget()
	}
	if w.using == nil {
		return w.pass(p)
	}
	w.scan(text, from)
	if err := w.release(text, len(text)-int(w.using.nodes[w.at].open)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush passes on what is held back. A secret that goes on after it is not
// recognised, so it belongs at the end of a stream only.
func (w *Writer) Flush() error {
	text := w.held
	if err := w.release(text, len(text)); err != nil {
		return err
	}
	w.at, w.spans, w.inside = 0, nil, false
	return nil
}

// Close flushes. It does not close the underlying writer.
func (w *Writer) Close() error { return w.Flush() }

// forget drops the spans that a new automaton will find again: all but the one
// whose beginning is no longer held.
func (w *Writer) forget() {
	if !w.inside {
		w.spans = nil
		return
	}
	w.spans = w.spans[:1]
}

// scan runs the automaton over text from the given index and records the spans
// of secrets.
func (w *Writer) scan(text []byte, from int) {
	a, at := w.using, w.at
	for i := from; i < len(text); i++ {
		if at == 0 {
			i = a.skip(text, i)
		}
		at = a.step(at, text[i])
		if length := int(a.nodes[at].match); length > 0 {
			w.mark(span{i + 1 - length, i + 1})
		}
	}
	w.at = at
}

// mark adds a span and joins it with those that it overlaps.
func (w *Writer) mark(s span) {
	for len(w.spans) > 0 {
		last := w.spans[len(w.spans)-1]
		if last.to <= s.from {
			break
		}
		s.from, s.to = min(s.from, last.from), max(s.to, last.to)
		w.spans = w.spans[:len(w.spans)-1]
	}
	w.spans = append(w.spans, s)
}

// release writes text up to end, masked, and holds back the rest.
func (w *Writer) release(text []byte, end int) error {
	out, at, done := w.out[:0], 0, 0
	for _, s := range w.spans {
		if s.from >= end {
			break
		}
		if at < s.from {
			out = append(out, text[at:s.from]...)
		}
		if !w.inside {
			out = append(out, Mask...)
		}
		at = min(s.to, end)
		if w.inside = s.to > end; w.inside {
			break
		}
		done++
	}
	if !w.inside {
		out = append(out, text[at:end]...)
	}
	w.hold(text[end:], end, done)
	w.out = out
	_, err := w.pass(out)
	return err
}

// hold keeps the end of the text and the spans in it.
func (w *Writer) hold(rest []byte, shift, done int) {
	w.held = append(w.held[:0], rest...)
	kept := w.spans[:0]
	for _, s := range w.spans[done:] {
		kept = append(kept, span{s.from - shift, s.to - shift})
	}
	w.spans = kept
}

func (w *Writer) pass(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return w.dest.Write(p)
}
