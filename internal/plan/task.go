package plan

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

const (
	defaultStepTimeout = 10 * time.Minute
	defaultRetryDelay  = 5 * time.Second
)

func taskProperties() []string {
	return []string{"version", "stepTimeout", "workingDirectory", "env", "secrets", "networks", "volumes", "steps"}
}

// task is what steps take from the task around them.
type task struct {
	*decoder
	plan             *drydock.Plan
	volumes          map[string]bool
	stepTimeout      time.Duration
	workingDirectory string
	env              []string
	network          string   // of steps that name none
	lines            []string // of the rendered text
	line             func(int) int
	expand           func(string) (string, error) // of a cmd's first word
}

// decode reads a rendered task.
func (m *maker) decode(ctx context.Context, d document) (*drydock.Plan, error) {
	top, dec, err := parseYAML(d.text)
	if err != nil {
		return nil, err
	}
	if isNull(top) {
		return nil, drydock.Errorf(drydock.Invalid, "nothing is left of the task after its templates were rendered")
	}
	t := &task{decoder: dec, plan: &drydock.Plan{Version: version100}, volumes: map[string]bool{}, lines: d.split(), line: d.line}
	t.expand = func(cmd string) (string, error) {
		return m.expandCommand(cmd, func(s string) (string, error) { return m.renderText(ctx, s) })
	}
	f, err := t.top(top)
	if err != nil {
		return nil, err
	}
	if err := t.properties(f, m.in.Defaults); err != nil {
		return nil, err
	}
	steps, err := t.items(f["steps"], "steps")
	if err != nil {
		return nil, err
	}
	return t.plan, t.steps(steps)
}

// top returns the properties of the task.
func (t *task) top(n *yaml.Node) (map[string]*yaml.Node, error) {
	pairs, err := t.mapping(n, "the task")
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if p.key == "alias" {
			return nil, invalid(p.keyNode, "`alias` has no meaning in a task of this version").
				WithHint("write `version: v1.1.0` on a line of its own")
		}
	}
	f, err := t.fields(n, "the task", taskProperties()...)
	if err != nil {
		return nil, err
	}
	if _, ok := f["steps"]; !ok {
		return nil, invalid(n, "the task has no `steps`")
	}
	return f, nil
}

// properties reads all of the task but its steps.
func (t *task) properties(f map[string]*yaml.Node, defaults Defaults) error {
	if _, err := t.secrets(f["secrets"]); err != nil {
		return err
	}
	r := reader{d: t.decoder, f: f}
	version := r.text("version")
	t.stepTimeout = r.seconds("stepTimeout", defaultStepTimeout)
	t.workingDirectory = r.text("workingDirectory")
	if r.err != nil {
		return r.err
	}
	if err := checkVersion(version); err != nil {
		return err.At(f["version"].Line, f["version"].Column)
	}
	if version != "" {
		t.plan.Version = strings.ToLower(version)
	}
	if t.workingDirectory == "" {
		t.workingDirectory = defaults.WorkingDirectory
	}
	env, err := t.environment(f["env"])
	if err != nil {
		return err
	}
	if t.env, err = mergeEnv(env, defaults.Env); err != nil {
		return err
	}
	if err := t.readNetworks(f["networks"], defaults.Network); err != nil {
		return err
	}
	return t.readVolumes(f["volumes"])
}

// reader reads the properties of a map and keeps the first error.
type reader struct {
	d   *decoder
	f   map[string]*yaml.Node
	err error
}

func (r *reader) text(name string) string        { return read(r, name, r.d.text) }
func (r *reader) texts(name string) []string     { return read(r, name, r.d.texts) }
func (r *reader) integer(name string) int        { return read(r, name, r.d.integer) }
func (r *reader) boolean(name string) bool       { return read(r, name, r.d.boolean) }
func (r *reader) items(name string) []*yaml.Node { return read(r, name, r.d.items) }

// seconds returns a duration, byDefault where the property is absent or 0.
func (r *reader) seconds(name string, byDefault time.Duration) time.Duration {
	if s := r.integer(name); s > 0 {
		return time.Duration(s) * time.Second
	}
	return byDefault
}

func read[T any](r *reader, name string, f func(*yaml.Node, string) (T, error)) T {
	var zero T
	if r.err != nil {
		return zero
	}
	v, err := f(r.f[name], name)
	if err != nil {
		r.err = err
		return zero
	}
	return v
}
