package runner

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// defaultNames are the task files that are looked for when none is named:
// acb's own, and the one that ACR's documentation uses.
var defaultNames = [...]string{"acb.yaml", "acr-task.yaml"}

// TaskFile plans a task file, which is part of the source unless Content holds
// it.
type TaskFile struct {
	Name    string // relative to the source; empty for acb.yaml or acr-task.yaml
	Content []byte // the file itself; nil to read Name
	Values  ValuesFile
	// Input holds the rest: Set, SecretSet, Defaults and Secrets.
	Input  plan.Input
	Client *http.Client // for alias files; nil for http.DefaultClient
}

var _ Planner = (*TaskFile)(nil)

// Plan implements Planner.
func (t *TaskFile) Plan(ctx context.Context, c *Checkout, facts drydock.RunFacts) (*drydock.Plan, error) {
	in, err := t.input(c, facts)
	if err != nil {
		return nil, err
	}
	return plan.Make(ctx, in)
}

// Render returns the task as YAML, with aliases and templates resolved and
// secrets masked.
func (t *TaskFile) Render(ctx context.Context, c *Checkout, facts drydock.RunFacts) ([]byte, error) {
	in, err := t.input(c, c.complete(facts))
	if err != nil {
		return nil, err
	}
	return plan.Render(ctx, in)
}

func (t *TaskFile) input(c *Checkout, facts drydock.RunFacts) (plan.Input, error) {
	in := t.Input
	in.Facts = facts
	var err error
	if in.File, in.Task, err = t.task(c); err != nil {
		return plan.Input{}, err
	}
	if in.Values, err = t.Values.read(c); err != nil {
		return plan.Input{}, err
	}
	in.Aliases = newAliasFiles(c, in.File, t.Client)
	return in, nil
}

// task returns the name and content of the task file. The name is empty for
// one that is not part of the source.
func (t *TaskFile) task(c *Checkout) (name string, content []byte, err error) {
	if t.Content != nil {
		return "", t.Content, nil
	}
	if t.Name != "" {
		content, err = c.read(t.Name)
		if errors.Is(err, fs.ErrNotExist) {
			err = drydock.Errorf(drydock.Invalid, "there is no task file %s in the source", t.Name).
				WithHint("--file is relative to SOURCE, the last argument")
		}
		return t.Name, content, err
	}
	for _, name := range defaultNames {
		content, err = c.read(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return name, content, err
		}
	}
	return "", nil, drydock.Errorf(drydock.Invalid, "there is no task file in the source, neither %s", strings.Join(defaultNames[:], " nor ")).
		WithHint("name one with --file; it is relative to SOURCE, the last argument")
}

// ValuesFile holds the values of a template. The zero value has none.
type ValuesFile struct {
	Name    string // relative to the source
	Content []byte // the file itself; nil to read Name
}

func (v ValuesFile) read(c *Checkout) ([]byte, error) {
	if v.Content != nil || v.Name == "" {
		return v.Content, nil
	}
	content, err := c.read(v.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, drydock.Errorf(drydock.Invalid, "there is no values file %s in the source", v.Name).
			WithHint("--values is relative to SOURCE, the last argument")
	}
	return content, err
}
