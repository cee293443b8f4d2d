package plan

import (
	"bytes"
	"text/template"
	"text/template/parse"
)

// tracker collects what a template writes and notes the origin of each line.
// It knows text of the template from values by its memory: text/template
// writes the very slice that stands in the parse tree.
type tracker struct {
	source document
	texts  map[*byte]int // first byte of a text → its line in source
	out    bytes.Buffer
	lines  []int // of out, as in document
	line   int   // in source, where the template is at
}

func newTracker(t *template.Template, d document) *tracker {
	w := &tracker{source: d, texts: map[*byte]int{}, line: 1, lines: []int{d.line(1)}}
	ends := lineEnds(d.text)
	for _, t := range t.Templates() {
		if t.Tree == nil {
			continue
		}
		walk(t.Root, func(n parse.Node) {
			if n, ok := n.(*parse.TextNode); ok && len(n.Text) > 0 {
				w.texts[&n.Text[0]] = ends.line(int(n.Pos))
			}
		})
	}
	return w
}

// Write appends p. It fails when the output gets too large.
func (w *tracker) Write(p []byte) (int, error) {
	if w.out.Len()+len(p) > maxText {
		l := limit("its output", maxText)
		l.line = w.line
		return 0, l
	}
	if len(p) == 0 {
		return 0, nil
	}
	line, isText := w.texts[&p[0]]
	if isText {
		w.line = line
		if n := w.out.Len(); n == 0 || w.out.Bytes()[n-1] == '\n' {
			w.lines[len(w.lines)-1] = w.source.line(w.line)
		}
	}
	for _, c := range p {
		if c != '\n' {
			continue
		}
		if isText {
			w.line++
		}
		w.lines = append(w.lines, w.source.line(w.line))
	}
	return w.out.Write(p)
}

func (w *tracker) document() document {
	return document{text: w.out.String(), lines: w.lines}
}

// offsets are the places of the line ends of a text.
type offsets []int

func lineEnds(s string) offsets {
	var ends offsets
	for i := range len(s) {
		if s[i] == '\n' {
			ends = append(ends, i)
		}
	}
	return ends
}

// line returns the line, the first is 1, that the byte at pos is in.
func (o offsets) line(pos int) int {
	low, high := 0, len(o)
	for low < high {
		if mid := (low + high) / 2; o[mid] < pos {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low + 1
}
