// Package plan turns a task file into a *drydock.Plan, in the order of ACR
// Tasks: version, aliases, templates, secrets, YAML, command aliases,
// validation, dependencies. It reads nothing itself: files, URLs and vaults
// are behind small ports. docs/task-yaml.md describes the language.
package plan

import (
	"bytes"
	"context"

	"github.com/drydockhq/drydock"
)

// maxFile bounds the task file, the values file and each alias file, in bytes.
const maxFile = 1 << 20

// maxText bounds what aliases and templates may make of a task file, in bytes.
const maxText = 4 << 20

// Input is what a plan is made from. The zero value of every field but Task is
// usable.
type Input struct {
	File      string   // name of the task file, for errors; may be empty
	Task      []byte   // the task file
	Values    []byte   // YAML of --values; may be nil
	Set       []string // KEY=VALUE of --set; beats Values
	SecretSet []string // KEY=VALUE of --set-secret; beats Set, and is masked
	Facts     drydock.RunFacts
	Defaults  Defaults

	Aliases      AliasSource       // nil refuses `alias.src`
	Secrets      SecretResolver    // nil refuses `secrets`
	GlobalImages map[string]string // image aliases of `cmd`; nil selects DefaultImages
}

// Defaults are used where the task says nothing.
type Defaults struct {
	Env              []string // NAME=VALUE, several with commas between them
	WorkingDirectory string
	Network          string // a network that exists already; every step without one joins it
}

// AliasSource reads the files and URLs of `alias.src`.
type AliasSource interface {
	// Fetch returns the content of uri: a URL, or a path as it stands in the
	// task. Its context ends after two seconds.
	Fetch(ctx context.Context, uri string) ([]byte, error)
}

// SecretResolver reads the values of a task's `secrets`. It is called from up
// to five goroutines at once.
type SecretResolver interface {
	Resolve(ctx context.Context, s drydock.Secret) (string, error)
}

// Make returns the plan of a task. Input that can't work is a *drydock.Error
// with the line and column of the task file.
func Make(ctx context.Context, in Input) (*drydock.Plan, error) {
	m, err := newMaker(in)
	if err != nil {
		return nil, err
	}
	p, err := m.plan(ctx)
	if err != nil {
		return nil, m.report(err)
	}
	return p, nil
}

// maker carries a task through its stages.
type maker struct {
	in      Input
	file    document // the task file, line endings normalised
	lines   []string // of file
	version string
	aliases aliases // empty below v1.1.0
	data    map[string]any
	secrets []string // values that must not be seen

	warnings []string
}

func newMaker(in Input) (*maker, error) {
	m := &maker{in: in}
	switch {
	case len(in.Task) > maxFile:
		return nil, m.locate(drydock.Errorf(drydock.Invalid, "the task file has %d bytes; at most %d are read", len(in.Task), maxFile).
			WithHint("move scripts and data into files of the context"), document{})
	case len(bytes.TrimSpace(in.Task)) == 0:
		return nil, m.locate(drydock.Errorf(drydock.Invalid, "the task file is empty"), document{})
	}
	m.file = newDocument(normalise(in.Task))
	m.lines = m.file.split()
	return m, nil
}

func (m *maker) plan(ctx context.Context) (*drydock.Plan, error) {
	rendered, err := m.rendered(ctx)
	if err != nil {
		return nil, err
	}
	p, err := m.decode(ctx, rendered)
	if err != nil {
		return nil, m.locate(err, rendered)
	}
	p.SecretValues, p.Warnings = m.secrets, m.warnings
	return p, nil
}

// rendered returns the task file with its aliases and templates resolved.
func (m *maker) rendered(ctx context.Context) (document, error) {
	if err := m.prepare(ctx); err != nil {
		return document{}, err
	}
	source, err := m.expandAliases(ctx)
	if err != nil {
		return document{}, err
	}
	return m.renderWithSecrets(ctx, source)
}

// prepare reads what does not depend on the task's text.
func (m *maker) prepare(ctx context.Context) error {
	version, err := findVersion(m.file)
	if err != nil {
		return m.locate(err, m.file)
	}
	m.version = version
	values, err := m.values()
	if err != nil {
		return err
	}
	if _, err := mergeEnv(nil, m.in.Defaults.Env); err != nil {
		return err
	}
	m.data, err = templateData(m.in.Facts, values)
	return err
}

// renderWithSecrets renders once without the secrets, to learn which there
// are, and if there are any once more with their values.
func (m *maker) renderWithSecrets(ctx context.Context, source document) (document, error) {
	m.data["Secrets"] = map[string]any{}
	rendered, err := m.render(ctx, source)
	if err != nil {
		return document{}, err
	}
	secrets, err := m.declaredSecrets(rendered)
	if err != nil || len(secrets) == 0 {
		return rendered, err
	}
	values, err := m.resolve(ctx, secrets)
	if err != nil {
		return document{}, err
	}
	m.data["Secrets"] = values
	return m.render(ctx, source)
}
