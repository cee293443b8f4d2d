package plan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/shell"
)

func TestMakeQuickBuild(t *testing.T) {
	t.Parallel()
	q := plan.QuickBuild{
		Context: ".", Tags: []string{"app:{{.Run.ID}}", "other.example/app", "library/app"}, Push: true,
		Registries: []string{"", "other.example"},
	}
	p, err := plan.MakeQuickBuild(t.Context(), plan.Input{
		Facts:    drydock.RunFacts{ID: "ca4", Registry: "r.example"},
		Defaults: plan.Defaults{WorkingDirectory: "src"},
	}, q)
	if err != nil {
		t.Fatal(err)
	}
	tags := []string{"r.example/app:ca4", "other.example/app", "library/app"}
	want := &drydock.Plan{
		Version:  "v1.0.0",
		Networks: []drydock.Network{{Name: drydock.DefaultNetwork, Driver: "bridge", IsDefault: true}},
		Steps: []drydock.Step{
			{
				ID: "build", Build: "-t r.example/app:ca4 -t other.example/app -t library/app .",
				Timeout: 8 * time.Hour, Network: drydock.DefaultNetwork, WorkingDirectory: "src",
			},
			{
				ID: "push", Push: tags, When: []string{"build"},
				Timeout: time.Hour, Network: drydock.DefaultNetwork, WorkingDirectory: "src",
			},
		},
	}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("plan (-want +got):\n%s", d)
	}
	if q.Tags[0] != "app:{{.Run.ID}}" {
		t.Errorf("the caller's tags were changed: %q", q.Tags)
	}
}

// What the flags say reaches docker's own parser as it is, whatever is in it.
func TestMakeQuickBuildQuotes(t *testing.T) {
	t.Parallel()
	values := []string{"a b", `it's "q"`, "$HOME", "`x`;&|<>*?[", "line\nline", "", "=", "{{`{{`}}"}
	q := plan.QuickBuild{
		Context: "sub folder", Dockerfile: "my Dockerfile", Target: "t", Platform: "linux/amd64,linux/arm64",
		Isolation: "default", Pull: true, NoCache: true,
	}
	for _, v := range values {
		q.Args = append(q.Args, "X="+v)
		q.Labels = append(q.Labels, "l="+v)
	}
	q.SecretArgs = []string{"S={{.Values.pin}} '"}
	p, err := plan.MakeQuickBuild(t.Context(), plan.Input{Set: []string{"pin=1 2"}}, q)
	if err != nil {
		t.Fatal(err)
	}
	words, err := shell.Fields(p.Steps[0].Build, nil)
	if err != nil {
		t.Fatalf("%s: %v", p.Steps[0].Build, err)
	}
	b, err := buildflags.Parse(words)
	if err != nil {
		t.Fatalf("%q: %v", words, err)
	}
	var want []buildflags.Arg
	for _, v := range values {
		if v == "{{`{{`}}" {
			v = "{{"
		}
		want = append(want, buildflags.Arg{Name: "X", Value: v, HasValue: true})
	}
	if d := cmp.Diff(want, b.Args); d != "" {
		t.Errorf("build arguments (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]buildflags.Arg{{Name: "S", Value: "1 2 '", HasValue: true}}, b.SecretArgs); d != "" {
		t.Errorf("secret build arguments (-want +got):\n%s", d)
	}
	if len(b.Labels) != len(values) || b.Context != "sub folder" || b.Dockerfile != "my Dockerfile" || b.Target != "t" ||
		!b.Pull || !b.NoCache || len(b.Platforms) != 2 {
		t.Errorf("build is %+v", b)
	}
	if !slices.Contains(p.SecretValues, "1 2 '") {
		t.Errorf("secret values are %q", p.SecretValues)
	}
}

func TestMakeQuickBuildErrors(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		in plan.Input
		q  plan.QuickBuild
	}{
		"there is nothing to push: the image has no name (give it one with -t)":                 {q: plan.QuickBuild{Push: true}},
		"--secret-build-arg has an entry without a value (write --secret-build-arg NAME=VALUE)": {q: plan.QuickBuild{SecretArgs: []string{"hunter2"}}},
		"--set has an entry without a key or without a value (write --set KEY=VALUE)":           {in: plan.Input{Set: []string{"x"}}},
	} {
		_, err := plan.MakeQuickBuild(t.Context(), c.in, c.q)
		if err == nil || err.Error() != want || drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	_, err := plan.MakeQuickBuild(t.Context(), plan.Input{}, plan.QuickBuild{Tags: []string{"{{.Run.ID"}})
	if drydock.CodeOf(err) != drydock.Invalid {
		t.Errorf("a broken template: %v", err)
	}
}
