package plan

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// document is the task's text at some stage. It knows the line of the task
// file that each of its lines came from.
type document struct {
	text  string
	lines []int // by line of text, the first at 0: line of the task file, the first is 1
}

// newDocument returns the document of a task file.
func newDocument(text string) document {
	d := document{text: text, lines: make([]int, strings.Count(text, "\n")+1)}
	for i := range d.lines {
		d.lines[i] = i + 1
	}
	return d
}

// split returns the lines of d without their ends.
func (d document) split() []string { return strings.Split(d.text, "\n") }

// line maps a line of d, the first is 1, to one of the task file.
func (d document) line(n int) int {
	if len(d.lines) == 0 || n <= 0 {
		return n
	}
	return d.lines[min(n, len(d.lines))-1]
}

// builder makes a document out of lines.
type builder struct {
	text  strings.Builder
	lines []int
}

// add appends text that stands for one line of the task file.
func (b *builder) add(text string, line int) {
	if len(b.lines) > 0 {
		b.text.WriteByte('\n')
	}
	b.text.WriteString(text)
	for range strings.Count(text, "\n") + 1 {
		b.lines = append(b.lines, line)
	}
}

func (b *builder) document() document {
	return document{text: b.text.String(), lines: b.lines}
}

// normalise drops a byte order mark and carriage returns at line ends.
func normalise(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// locate turns a position in d into one in the task file.
func (m *maker) locate(err error, d document) error {
	var e *drydock.Error
	if !errors.As(err, &e) || e.File != "" {
		return err
	}
	e.File = m.in.File
	if e.Line == 0 {
		return err
	}
	stage := d.split()
	n := d.line(e.Line)
	if e.Line <= len(stage) && n <= len(m.lines) {
		e.Column = column(m.lines[n-1], stage[e.Line-1], e.Column)
	}
	e.Line = n
	return err
}

// column maps a column of a line that a template or an alias has changed to
// the original line: where the two still agree it is the same, behind that it
// is where they part.
func column(original, changed string, col int) int {
	if col <= 0 || original == changed {
		return col
	}
	same := 0
	for len(original) > 0 && len(changed) > 0 {
		a, n := utf8.DecodeRuneInString(original)
		b, _ := utf8.DecodeRuneInString(changed)
		if a != b {
			break
		}
		original, changed = original[n:], changed[n:]
		same++
	}
	return min(col, same+1)
}

// report makes err ready for users: without secrets.
func (m *maker) report(err error) error {
	var e *drydock.Error
	if !errors.As(err, &e) {
		return err
	}
	e.Message, e.Hint = m.mask(e.Message), m.mask(e.Hint)
	if e.Err != nil && m.mask(e.Err.Error()) != e.Err.Error() {
		e.Err = nil
	}
	return e
}

// mask replaces the secrets known so far, the longest first, since one can be
// part of another.
func (m *maker) mask(s string) string {
	var forms []string
	for _, secret := range m.secrets {
		forms = append(forms, secret)
		for line := range strings.Lines(secret) {
			if line = strings.TrimSpace(line); line != "" {
				forms = append(forms, line)
			}
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, masked)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// masked stands for a secret where people can see it.
const masked = "***"
