package plan

import (
	"context"
	"strings"
	"text/template"
	"time"
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
	if err := findSecrets(t, d.text); err != nil {
		return document{}, m.locate(err, d)
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
	if err := findReserved(t, text); err != nil {
		return nil, nil, err
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
	m.warnOfMissing(g.missing, d)
	return w.document(), nil
}
