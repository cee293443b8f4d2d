package main

import (
	"time"

	"github.com/drydockhq/drydock/internal/logs"
)

// plain takes the escape sequences of terminals out of the output of steps.
type plain struct {
	next  logs.Renderer
	state map[outputOf]escape
}

// outputOf is a stream of a step.
type outputOf struct{ step, stream string }

// escape says where in an escape sequence a text ends; see ECMA-48.
type escape int

const (
	noEscape      escape = iota
	afterESC             // one byte, or the beginning of one of the next
	controlBytes         // up to a byte from @ to ~
	controlString        // up to BEL or ESC \
	stringESC            // an ESC in a control string
)

var _ logs.Renderer = (*plain)(nil)

func newPlain(next logs.Renderer) *plain {
	return &plain{next: next, state: map[outputOf]escape{}}
}

// System implements logs.Renderer.
func (p *plain) System(at time.Time, text string) error { return p.next.System(at, text) }

// Output implements logs.Renderer. A sequence may begin in one piece and end in
// the next, but not in another line.
func (p *plain) Output(piece logs.Piece) error {
	from := outputOf{piece.Step, piece.Stream}
	state := p.state[from]
	kept := make([]byte, 0, len(piece.Text))
	for _, c := range piece.Text {
		var keep bool
		if state, keep = state.next(c); keep {
			kept = append(kept, c)
		}
	}
	piece.Text = kept
	p.state[from] = state
	if piece.End {
		delete(p.state, from)
	}
	return p.next.Output(piece)
}

// next returns the state after c, and whether c is text.
func (e escape) next(c byte) (after escape, text bool) {
	const esc, bel = 0x1b, 0x07
	switch e {
	case afterESC:
		switch {
		case c == '[':
			return controlBytes, false
		case c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X':
			return controlString, false
		case c >= 0x20 && c <= 0x2f: // intermediate bytes, as of ESC ( B
			return afterESC, false
		}
		return noEscape, false
	case controlBytes:
		if c >= '@' && c <= '~' {
			return noEscape, false
		}
		return controlBytes, false
	case controlString, stringESC:
		switch {
		case c == bel || e == stringESC && c == '\\':
			return noEscape, false
		case c == esc:
			return stringESC, false
		}
		return controlString, false
	default:
		if c == esc {
			return afterESC, false
		}
		return noEscape, true
	}
}
