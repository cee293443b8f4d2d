package plan_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write what is made into the fixtures; look at the difference")

// TestFixtures holds each case of testdata: a task, what it is planned with,
// and the plan, the rendered task or the error that must come of it.
func TestFixtures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runFixture(t, file)
		})
	}
}

func runFixture(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{}
	for _, part := range archive.Files {
		f[part.Name] = string(part.Data)
	}
	got := f.run(t)
	if *update {
		writeFixture(t, file, archive, got)
		return
	}
	wanted := 0
	for name := range f {
		if strings.HasPrefix(name, "want") {
			wanted++
			if diff := cmp.Diff(f[name], got[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	if wanted != len(got) {
		t.Errorf("the fixture wants %d results, there are %d: %v", wanted, len(got), got)
	}
}

func writeFixture(t *testing.T, file string, archive *txtar.Archive, got map[string]string) {
	kept := archive.Files[:0]
	for _, part := range archive.Files {
		if !strings.HasPrefix(part.Name, "want") {
			kept = append(kept, part)
		}
	}
	archive.Files = kept
	for _, name := range []string{"want.yaml", "want.error", "want-render.yaml"} {
		if data, ok := got[name]; ok {
			archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(data)})
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fixture is a case by file name.
type fixture map[string]string

// run makes the plan, and the rendered task where the case has one.
func (f fixture) run(t *testing.T) map[string]string {
	in := f.input()
	if _, ok := f["want-render.yaml"]; ok {
		out, err := plan.Render(context.Background(), in)
		if err != nil {
			t.Fatalf("rendering: %v", err)
		}
		return map[string]string{"want-render.yaml": string(out)}
	}
	p, err := plan.Make(context.Background(), in)
	if err != nil {
		var e *drydock.Error
		if !errors.As(err, &e) {
			t.Errorf("%T is not a *drydock.Error: %v", err, err)
		} else if e.Code == drydock.Internal {
			t.Errorf("the error has the code internal: %v", err)
		}
		return map[string]string{"want.error": err.Error() + "\n"}
	}
	return map[string]string{"want.yaml": dump(t, p)}
}

func (f fixture) input() plan.Input {
	in := plan.Input{
		File:      "acr-task.yaml",
		Task:      []byte(f["task.yaml"]),
		Values:    []byte(f["values.yaml"]),
		Set:       lines(f["set"]),
		SecretSet: lines(f["set-secret"]),
		Facts:     facts(),
		Defaults: plan.Defaults{
			Env:              lines(f["default-env"]),
			WorkingDirectory: strings.TrimSpace(f["default-working-directory"]),
			Network:          strings.TrimSpace(f["default-network"]),
		},
		Aliases: aliasFiles(f),
	}
	if vault, ok := f["vault"]; ok {
		in.Secrets = vaultOf(lines(vault))
	}
	if images, ok := f["images"]; ok {
		in.GlobalImages = map[string]string{}
		for _, line := range lines(images) {
			name, image, _ := strings.Cut(line, "=")
			in.GlobalImages[name] = image
		}
	}
	return in
}

func facts() drydock.RunFacts {
	return drydock.RunFacts{
		ID:           "cf1",
		TaskName:     "nightly",
		Registry:     "harbour.azurecr.test",
		Date:         time.Date(2021, 3, 4, 5, 6, 7, 0, time.FixedZone("", 3600)),
		SharedVolume: "home_vol",
		OS:           "linux",
		OSVersion:    "12",
		Architecture: "amd64",
		Commit:       "5f2e1c",
		Branch:       "trunk",
		Repository:   "https://git.test/app.git",
		GitTag:       "v7",
		TriggeredBy:  "manual",
	}
}

func lines(s string) []string {
	var all []string
	for line := range strings.Lines(s) {
		all = append(all, strings.TrimSuffix(line, "\n"))
	}
	return all
}

// aliasFiles are the files of a case, for `alias.src`.
type aliasFiles fixture

func (a aliasFiles) Fetch(_ context.Context, uri string) ([]byte, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(uri, "https://"), "./")
	if data, ok := a[name]; ok {
		return []byte(data), nil
	}
	return nil, drydock.Errorf(drydock.Invalid, "it does not exist")
}

// vault has lines of URL=VALUE; \n in a value is a line end.
type vault map[string]string

func vaultOf(lines []string) vault {
	v := vault{}
	for _, line := range lines {
		url, value, _ := strings.Cut(line, "=")
		v[url] = strings.ReplaceAll(value, `\n`, "\n")
	}
	return v
}

func (v vault) Resolve(_ context.Context, s drydock.Secret) (string, error) {
	value, ok := v[s.KeyVault]
	if !ok {
		return "", drydock.Errorf(drydock.Denied, "access to %s is denied", s.KeyVault)
	}
	if s.ClientID != "" {
		value += " as " + s.ClientID
	}
	return value, nil
}

// dump writes a plan as YAML, without what is at its default.
func dump(t *testing.T, p *drydock.Plan) string {
	root := &yaml.Node{Kind: yaml.MappingNode}
	put(t, root, "version", p.Version)
	for _, n := range p.Networks {
		if n.Name == drydock.DefaultNetwork && len(p.Networks) == 1 {
			continue
		}
		put(t, root, "network "+n.Name, fmt.Sprintf("driver=%s ipv6=%v skip=%v default=%v", n.Driver, n.IPv6, n.SkipCreation, n.IsDefault))
	}
	for _, v := range p.Volumes {
		files := map[string]string{}
		for name, data := range v.Files {
			files[name] = string(data)
		}
		put(t, root, "volume "+v.Name, files)
	}
	if len(p.SecretValues) > 0 {
		put(t, root, "secretValues", p.SecretValues)
	}
	for i := range p.Steps {
		put(t, root, p.Steps[i].ID, dumpStep(t, &p.Steps[i]))
	}
	out, err := yaml.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func dumpStep(t *testing.T, s *drydock.Step) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	put(t, n, "line", s.Line)
	put(t, n, string(s.Kind()), map[drydock.StepKind]any{
		drydock.BuildStep: s.Build, drydock.CmdStep: s.Cmd, drydock.PushStep: s.Push,
	}[s.Kind()])
	put(t, n, "when", s.When)
	duration := func(name string, d, byDefault time.Duration) {
		if d != byDefault {
			put(t, n, name, d.String())
		}
	}
	duration("timeout", s.Timeout, 10*time.Minute)
	duration("startDelay", s.StartDelay, 0)
	duration("retryDelay", s.RetryDelay, 5*time.Second)
	duration("downloadRetryDelay", s.DownloadRetryDelay, 0)
	for _, count := range []struct {
		name string
		n    int
	}{{"retries", s.Retries}, {"repeat", s.Repeat}, {"downloadRetries", s.DownloadRetries}} {
		if count.n != 0 {
			put(t, n, count.name, count.n)
		}
	}
	put(t, n, "retryOnErrors", s.RetryOnErrors)
	put(t, n, "exitedWith", s.ExitedWith)
	put(t, n, "exitedWithout", s.ExitedWithout)
	var set []string
	for _, flag := range []struct {
		name string
		on   bool
	}{
		{"ignoreErrors", s.IgnoreErrors},
		{"detach", s.Detach},
		{"keep", s.Keep},
		{"privileged", s.Privileged},
		{"pull", s.Pull},
		{"disableWorkingDirectoryOverride", s.DisableWorkingDirectoryOverride},
		{"cache", s.Cache},
	} {
		if flag.on {
			set = append(set, flag.name)
		}
	}
	put(t, n, "set", set)
	put(t, n, "env", s.Env)
	put(t, n, "expose", s.Expose)
	put(t, n, "ports", s.Ports)
	for _, text := range [][2]string{
		{"entryPoint", s.EntryPoint},
		{"user", s.User},
		{"isolation", s.Isolation},
		{"workingDirectory", s.WorkingDirectory},
		{"cpus", s.CPUs},
	} {
		put(t, n, text[0], text[1])
	}
	if s.Network != drydock.DefaultNetwork {
		put(t, n, "network", s.Network)
	}
	for _, m := range s.VolumeMounts {
		put(t, n, "mount "+m.Name, m.MountPath)
	}
	return n
}

// put appends an entry to a map unless its value is empty.
func put(t *testing.T, n *yaml.Node, key string, value any) {
	t.Helper()
	var v yaml.Node
	if err := v.Encode(value); err != nil {
		t.Fatal(err)
	}
	if node, ok := value.(*yaml.Node); ok {
		v = *node
	}
	if v.Kind == yaml.SequenceNode && len(v.Content) == 0 || v.Kind == yaml.ScalarNode && (v.Value == "" || v.Tag == "!!null") {
		return
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key, Tag: "!!str"}, &v)
}
