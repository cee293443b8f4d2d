package plan

import (
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

func stepProperties() []string {
	return []string{
		"id", "cmd", "build", "push", "when", "timeout", "startDelay", "retries", "retryDelay", "retryOnErrors",
		"repeat", "exitedWith", "exitedWithout", "ignoreErrors", "detach", "keep", "privileged", "pull",
		"cmdDownloadRetries", "cmdDownloadRetryDelay", "disableWorkingDirectoryOverride", "env", "expose", "ports",
		"entryPoint", "user", "isolation", "network", "workingDirectory", "cpus", "cache", "volumeMounts", "volumeMount",
	}
}

// steps reads the steps and orders them.
func (t *task) steps(items []*yaml.Node) error {
	whens := make([]*yaml.Node, len(items))
	for i, item := range items {
		f, err := t.stepFields(item)
		if err != nil {
			return err
		}
		step, err := t.step(item, f, i)
		if err != nil {
			return err
		}
		t.plan.Steps = append(t.plan.Steps, step)
		whens[i] = f["when"]
	}
	return t.order(items, whens)
}

func (t *task) stepFields(n *yaml.Node) (map[string]*yaml.Node, error) {
	pairs, err := t.mapping(n, "a step")
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if p.key == "secret" {
			return nil, invalid(p.keyNode, "a step has no property `secret`").
				WithHint("declare `secrets` beside `steps` and use them as {{.Secrets.id}}")
		}
	}
	return t.fields(n, "a step", stepProperties()...)
}

func (t *task) step(n *yaml.Node, f map[string]*yaml.Node, index int) (s drydock.Step, err error) {
	r := reader{d: t.decoder, f: f}
	s = drydock.Step{
		ID:    r.text("id"),
		Line:  t.line(n.Line),
		Build: r.text("build"),
		Cmd:   r.text("cmd"),
		Push:  r.texts("push"),
	}
	if r.err != nil {
		return s, r.err
	}
	if s.ID == "" {
		s.ID = fmt.Sprintf("acb_step_%d", index)
	}
	t.readTiming(&r, &s)
	t.readContainer(&r, &s)
	if r.err != nil {
		return s, r.err
	}
	for _, check := range []func(*yaml.Node, map[string]*yaml.Node, *drydock.Step) error{
		t.checkKind, t.checkID, t.checkNumbers, t.checkPorts, t.readRest, t.checkLanguage,
	} {
		if err := check(n, f, &s); err != nil {
			return s, err
		}
	}
	return s, nil
}

// readTiming reads when and how often a step is carried out.
func (t *task) readTiming(r *reader, s *drydock.Step) {
	s.Timeout = r.seconds("timeout", t.stepTimeout)
	s.StartDelay = r.seconds("startDelay", 0)
	s.Retries = r.integer("retries")
	s.RetryDelay = r.seconds("retryDelay", defaultRetryDelay)
	s.RetryOnErrors = r.texts("retryOnErrors")
	s.Repeat = r.integer("repeat")
	s.DownloadRetries = r.integer("cmdDownloadRetries")
	s.DownloadRetryDelay = r.seconds("cmdDownloadRetryDelay", 0)
	s.IgnoreErrors = r.boolean("ignoreErrors")
	s.ExitedWith = r.statuses("exitedWith")
	s.ExitedWithout = r.statuses("exitedWithout")
}

// readContainer reads what a step's container is like.
func (t *task) readContainer(r *reader, s *drydock.Step) {
	s.Detach = r.boolean("detach")
	s.Keep = r.boolean("keep")
	s.Privileged = r.boolean("privileged")
	s.Pull = r.boolean("pull")
	s.DisableWorkingDirectoryOverride = r.boolean("disableWorkingDirectoryOverride")
	s.Expose = r.texts("expose")
	s.Ports = r.texts("ports")
	s.EntryPoint = r.text("entryPoint")
	s.User = r.text("user")
	s.Isolation = r.text("isolation")
	s.Network = r.text("network")
	s.WorkingDirectory = r.text("workingDirectory")
	s.CPUs = r.text("cpus")
	if s.WorkingDirectory == "" {
		s.WorkingDirectory = t.workingDirectory
	}
}

// readRest reads what depends on the rest of the task.
func (t *task) readRest(n *yaml.Node, f map[string]*yaml.Node, s *drydock.Step) error {
	env, err := t.environment(f["env"])
	if err != nil {
		return err
	}
	if s.Env, err = mergeEnv(env, t.env); err != nil {
		return err
	}
	at := n
	if f["network"] != nil {
		at = f["network"]
	}
	if s.Network, err = t.stepNetwork(at, s.Network); err != nil {
		return err
	}
	if s.VolumeMounts, err = t.mounts(f); err != nil {
		return err
	}
	if len(s.VolumeMounts) > 0 && s.Kind() == drydock.PushStep {
		return invalid(n, "a push step can't have `volumeMounts`")
	}
	return t.readCache(f["cache"], s)
}

func (t *task) readCache(n *yaml.Node, s *drydock.Step) error {
	cache, err := t.text(n, "cache")
	if err != nil {
		return err
	}
	switch strings.ToLower(cache) {
	case "enabled":
		s.Cache = true
	case "", "disabled":
	default:
		return invalid(n, "`cache` is %q; it must be enabled or disabled", cache)
	}
	return nil
}

// statuses reads a list of exit statuses.
func (r *reader) statuses(name string) []int {
	var all []int
	for _, n := range r.items(name) {
		status, err := r.d.integer(n, name)
		if err == nil && status > 255 {
			err = invalid(n, "`%s` has %d; an exit status is at most 255", name, status)
		}
		if err != nil {
			r.err = err
			return nil
		}
		all = append(all, status)
	}
	return all
}
