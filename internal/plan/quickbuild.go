package plan

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Timeouts of the two steps of a quick build, as ACR has them.
const (
	quickBuildTimeout = 8 * time.Hour
	quickPushTimeout  = time.Hour
)

// QuickBuild asks for one image to be built, and with Push to be pushed, as
// `acb build` does without a task file. All texts may be templates.
type QuickBuild struct {
	Context    string // as `docker build` takes it
	Dockerfile string // empty for the context's own
	Tags       []string
	Args       []string // NAME=VALUE or NAME
	SecretArgs []string // NAME=VALUE, masked and kept out of the image's history
	Labels     []string
	Target     string
	Platform   string
	Isolation  string
	Pull       bool
	NoCache    bool
	Push       bool
	// Registries are hosts that a tag may begin with besides the run's own. Any
	// other tag is taken to be in the run's registry.
	Registries []string
}

// MakeQuickBuild returns the plan of a quick build. Of in it uses Values, Set,
// SecretSet, Facts and Defaults.
func MakeQuickBuild(ctx context.Context, in Input, q QuickBuild) (*drydock.Plan, error) {
	m := &maker{in: in}
	values, err := m.values()
	if err != nil {
		return nil, err
	}
	if m.data, err = templateData(in.Facts, values); err != nil {
		return nil, err
	}
	if err := q.render(ctx, m); err != nil {
		return nil, m.report(err)
	}
	if q.Push && len(q.Tags) == 0 {
		return nil, drydock.Errorf(drydock.Invalid, "there is nothing to push: the image has no name").
			WithHint("give it one with -t")
	}
	for i := range q.Tags {
		q.Tags[i] = q.inRegistry(in.Facts.Registry, q.Tags[i])
	}
	return &drydock.Plan{
		Version:      "v1.0.0",
		Steps:        q.steps(in.Defaults),
		Networks:     []drydock.Network{{Name: drydock.DefaultNetwork, Driver: "bridge", IsDefault: true}},
		SecretValues: m.secrets,
	}, nil
}

// render replaces every text of q by what its template gives.
func (q *QuickBuild) render(ctx context.Context, m *maker) error {
	texts := []*string{&q.Context, &q.Dockerfile, &q.Target, &q.Platform, &q.Isolation}
	for _, list := range []*[]string{&q.Tags, &q.Args, &q.SecretArgs, &q.Labels} {
		*list = append([]string(nil), *list...)
		for i := range *list {
			texts = append(texts, &(*list)[i])
		}
	}
	for _, text := range texts {
		rendered, err := m.renderText(ctx, *text)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "rendering an argument of the build: %w", err)
		}
		*text = rendered
	}
	for _, arg := range q.SecretArgs {
		_, value, ok := strings.Cut(arg, "=")
		if !ok {
			return drydock.Errorf(drydock.Invalid, "--secret-build-arg has an entry without a value").
				WithHint("write --secret-build-arg NAME=VALUE")
		}
		m.keepSecret(value)
	}
	return nil
}

// inRegistry puts the run's registry in front of a tag that names none that is
// known.
func (q *QuickBuild) inRegistry(registry, tag string) string {
	if registry == "" || strings.HasPrefix(tag, "library/") {
		return tag
	}
	for _, known := range append([]string{registry}, q.Registries...) {
		if known != "" && strings.HasPrefix(tag, known) {
			return tag
		}
	}
	return registry + "/" + tag
}

func (q *QuickBuild) steps(d Defaults) []drydock.Step {
	step := drydock.Step{Network: drydock.DefaultNetwork, WorkingDirectory: d.WorkingDirectory}
	build := step
	build.ID, build.Build, build.Timeout = "build", q.command(), quickBuildTimeout
	if !q.Push {
		return []drydock.Step{build}
	}
	push := step
	push.ID, push.Push, push.Timeout, push.When = "push", q.Tags, quickPushTimeout, []string{build.ID}
	return []drydock.Step{build, push}
}

// command returns the arguments of `docker build`, each one word of the command
// language.
func (q *QuickBuild) command() string {
	var words []string
	flag := func(name string, values ...string) {
		for _, value := range values {
			if value != "" {
				words = append(words, name, shellQuote(value))
			}
		}
	}
	flag("--isolation", q.Isolation)
	flag("--label", q.Labels...)
	flag("-f", q.Dockerfile)
	flag("-t", q.Tags...)
	flag("--build-arg", q.Args...)
	flag("--secret-build-arg", q.SecretArgs...)
	flag("--target", q.Target)
	flag("--platform", q.Platform)
	if q.Pull {
		words = append(words, "--pull")
	}
	if q.NoCache {
		words = append(words, "--no-cache")
	}
	return strings.Join(append(words, shellQuote(q.Context)), " ")
}
