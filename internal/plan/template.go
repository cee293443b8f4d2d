package plan

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

// templateName stands for the task file in messages of text/template; it is
// taken out again.
const templateName = "task"

// renderTimeout bounds the work of one template.
const renderTimeout = 10 * time.Second

// render executes the template in d.
func (m *maker) render(ctx context.Context, d document) (document, error) {
	t, g, err := m.parse(ctx, d.text)
	if err != nil {
		return document{}, m.locate(err, d)
	}
	m.presetSecrets(t)
	return m.execute(t, g, d)
}

// presetSecrets makes the secrets that a template names and that aren't known
// empty text, as functions that want text refuse what is missing. In the first
// of the two renderings none is known.
func (m *maker) presetSecrets(t *template.Template) {
	secrets, _ := m.data["Secrets"].(map[string]any)
	for _, name := range secretNames(t) {
		if _, known := secrets[name]; !known {
			secrets[name] = ""
		}
	}
}

// renderAlias executes the template of the alias block, which is read before
// the secrets are known.
func (m *maker) renderAlias(ctx context.Context, d document) (document, error) {
	t, g, err := m.parse(ctx, d.text)
	if err != nil {
		return document{}, m.locate(err, d)
	}
	if at := findSecrets(t, d.text); at != nil {
		return document{}, m.locate(at, d)
	}
	return m.execute(t, g, d)
}

// renderText executes a template that is not part of the file, such as the
// value of an alias.
func (m *maker) renderText(ctx context.Context, text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	t, g, err := m.parse(ctx, text)
	if err != nil {
		return "", err
	}
	d, err := m.execute(t, g, newDocument(text))
	return d.text, err
}

func (m *maker) parse(ctx context.Context, text string) (*template.Template, *guard, error) {
	g := &guard{ctx: ctx}
	t, err := template.New(templateName).Option("missingkey=zero").Funcs(g.functions(m.in.Facts.Date)).Parse(text)
	if err != nil {
		return nil, nil, inRunes(templateError(err), text)
	}
	g.instrument(t, text)
	return t, g, nil
}

func (m *maker) execute(t *template.Template, g *guard, d document) (document, error) {
	ctx, cancel := context.WithTimeout(g.ctx, renderTimeout)
	defer cancel()
	g.ctx = ctx
	w := newTracker(t, d)
	if err := t.Execute(w, m.data); err != nil {
		return document{}, m.locate(inRunes(templateError(err), d.text), d)
	}
	return w.document(), nil
}

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

var (
	templatePosition = regexp.MustCompile(`^template: ` + templateName + `:(\d+)(?::(\d+))?: ?`)
	templateDetail   = regexp.MustCompile(`^executing "[^"]*" at <(.*)>: `)
	templateStart    = regexp.MustCompile(`^(.*) started at ` + templateName + `:(\d+)$`)
	missingFunction  = regexp.MustCompile(`^function "([^"]*)" not defined$`)
	nilPointer       = regexp.MustCompile(`nil pointer evaluating interface \{\}\.(\S+)$`)
)

// templateError gives an error of text/template its position.
func templateError(err error) *drydock.Error {
	var limit *limitError
	if errors.As(err, &limit) {
		e := drydock.Errorf(drydock.Invalid, "the template goes too far: %w", limit)
		if limit.line > 0 {
			return e.At(limit.line, 1)
		}
		return atTemplate(e, err.Error())
	}
	if errors.Is(err, context.Canceled) {
		return drydock.Errorf(drydock.Canceled, "rendering the template: %w", context.Canceled)
	}
	text := err.Error()
	message := templatePosition.ReplaceAllString(text, "")
	message = templateDetail.ReplaceAllString(message, "{{$1}}: ")
	if from := templateStart.FindStringSubmatch(message); from != nil {
		message = from[1]
		text = "template: " + templateName + ":" + from[2] + ":"
	}
	e := &drydock.Error{Code: drydock.Invalid, Message: "template: " + message, Err: err}
	if f := missingFunction.FindStringSubmatch(message); f != nil {
		e.Hint = nearest(f[1], functionNames())
	}
	if f := nilPointer.FindStringSubmatch(message); f != nil {
		e.Hint = "what ." + f[1] + " is taken from has no value; give one with --values or --set"
	}
	return atTemplate(e, text)
}

// atTemplate takes the position from a message of text/template.
func atTemplate(e *drydock.Error, text string) *drydock.Error {
	p := templatePosition.FindStringSubmatch(text)
	if p == nil {
		return e
	}
	e.Line, _ = strconv.Atoi(p[1])
	if p[2] != "" {
		e.Column, _ = strconv.Atoi(p[2])
		e.Column++
	}
	return e
}

// inRunes turns a column that counts bytes of text into one that counts runes.
func inRunes(e *drydock.Error, text string) *drydock.Error {
	lines := strings.Split(text, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Column < 1 {
		return e
	}
	line := lines[e.Line-1]
	e.Column = utf8.RuneCountInString(line[:min(e.Column-1, len(line))]) + 1
	return e
}
