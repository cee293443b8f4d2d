package logs

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"
)

// JSON renders a log as one JSON object a line, with the fields time (RFC
// 3339, UTC), line and, for the output of a step, step and stream. A piece of
// a line whose end comes later has "partial": true. Bytes that are not UTF-8
// become U+FFFD. The empty lines that set off Drydock's own texts are left out.
type JSON struct {
	enc *json.Encoder
}

var _ Renderer = (*JSON)(nil)

// NewJSON returns a renderer that writes to w.
func NewJSON(w io.Writer) *JSON {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return &JSON{enc: enc}
}

type jsonLine struct {
	Time    time.Time `json:"time"`
	Step    string    `json:"step,omitempty"`
	Stream  string    `json:"stream,omitempty"`
	Line    string    `json:"line"`
	Partial bool      `json:"partial,omitempty"`
}

// System implements Renderer.
func (j *JSON) System(at time.Time, text string) error {
	return j.enc.Encode(jsonLine{Time: at.UTC(), Line: strings.TrimPrefix(text, "\n")})
}

// Output implements Renderer.
func (j *JSON) Output(p Piece) error {
	text := p.Text
	if p.Step == "" && len(text) == 0 {
		return nil
	}
	if p.End {
		text = bytes.TrimSuffix(text, []byte("\r"))
	}
	return j.enc.Encode(jsonLine{Time: p.At.UTC(), Step: p.Step, Stream: p.Stream, Line: string(text), Partial: !p.End})
}
