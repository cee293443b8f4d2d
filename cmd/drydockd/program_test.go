package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/instance"
)

// fakeExecutor is an executor without containers.
type fakeExecutor struct {
	*enginetest.Fake
	spec   engine.RunSpec // of the last session
	closed atomic.Bool
}

func (f *fakeExecutor) Open(ctx context.Context, spec engine.RunSpec) (engine.Session, error) {
	f.spec = spec
	return f.Fake.Open(ctx, spec)
}

func (f *fakeExecutor) DiskUsage(context.Context) ([]buildkit.CacheRecord, error) { return nil, nil }

func (f *fakeExecutor) Prune(context.Context, buildkit.PruneOptions) ([]buildkit.CacheRecord, error) {
	return nil, nil
}

// Instances implements executor: no test runs container groups on it.
func (*fakeExecutor) Instances() instance.Engine { return nil }

func (f *fakeExecutor) Close() error {
	f.closed.Store(true)
	return nil
}

// bench is the program on a fake executor, and what it wrote.
type bench struct {
	*program
	executor *fakeExecutor
	opened   engineOptions // what the executor was opened with
	stdout   bytes.Buffer
	stderr   bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{program: newProgram(), executor: &fakeExecutor{Fake: &enginetest.Fake{}}}
	b.environ, b.euid = nil, 0
	b.program.stdin = strings.NewReader("")
	b.program.stdout, b.program.stderr = &b.stdout, &b.stderr
	b.now = func() time.Time { return time.Date(2020, 10, 30, 3, 57, 39, 0, time.UTC) }
	b.newID = func() string { return "ca4" }
	b.open = func(_ context.Context, o engineOptions) (executor, error) {
		b.opened = o
		return b.executor, nil
	}
	return b
}

// folder lays the files of an archive out in a new folder.
func folder(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// expect runs a command line, and fails unless it ends with the status and the
// outputs hold the texts. Standard error is one line at most.
func (b *bench) expect(t *testing.T, status int, stdout, stderr []string, args ...string) {
	t.Helper()
	if got := b.run(t.Context(), args); got != status {
		t.Errorf("exit status is %d, want %d", got, status)
	}
	holds(t, "standard output", b.stdout.String(), stdout)
	holds(t, "standard error", b.stderr.String(), stderr)
	if strings.Count(b.stderr.String(), "\n") > 1 && !strings.Contains(strings.Join(stderr, ""), "\n") {
		t.Errorf("standard error has several lines")
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", b.stdout.String(), b.stderr.String())
	}
}

func holds(t *testing.T, what, text string, wanted []string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s lacks %q", what, want)
		}
	}
	if wanted == nil && text != "" {
		t.Errorf("%s is not empty", what)
	}
}

const hello = `
-- acr-task.yaml --
version: v1.1.0
steps:
- id: hello
  cmd: bash echo {{.Run.ID}} {{.Values.who}}
  env: [FAKE_OUT=hello]
`

func TestCommandLineErrors(t *testing.T) {
	t.Parallel()
	dir := folder(t, hello)
	encoded := base64.StdEncoding.EncodeToString([]byte("steps: []"))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown command":     {[]string{"exce"}, `unknown command "exce" (did you mean exec?)`},
		"far from a command":  {[]string{"launch"}, `unknown command "launch" (see drydockd --help)`},
		"stdin twice":         {[]string{"exec", "-f", "-", "-"}, "can't both be standard input"},
		"stdin is no tarball": {[]string{"exec", "-"}, "standard input"},
		"unknown flag":        {[]string{"exec", "--fil", "x"}, "unknown flag: --fil (see drydockd exec --help)"},
		"two sources":         {[]string{"exec", "a", "b"}, "accepts at most 1 arg"},
		"build of nothing":    {[]string{"build"}, "accepts 1 arg"},
		"no such folder":      {[]string{"exec", filepath.Join(dir, "none")}, "none"},
		"no task file":        {[]string{"exec", t.TempDir()}, "there is no task file in the source, neither acb.yaml nor acr-task.yaml (name one with --file; it is relative to SOURCE"},
		"no such task file":   {[]string{"exec", "-f", "x.yaml", dir}, "there is no task file x.yaml in the source"},
		"no values file":      {[]string{"exec", "--values", "v.yaml", dir}, "there is no values file v.yaml in the source"},
		"two task files":      {[]string{"exec", "-f", "a", "--encoded-file", encoded, dir}, "--file and --encoded-file exclude each other"},
		"two values files":    {[]string{"exec", "--values", "a", "--encoded-values", encoded, dir}, "--values and --encoded-values exclude each other"},
		"not base64":          {[]string{"exec", "--encoded-file", "?", dir}, "decoding --encoded-file"},
		"empty stdin":         {[]string{"exec", "-f", "-", dir}, "the task file is empty"},
		"set without value":   {[]string{"exec", "--set", "a", dir}, "--set"},
		"output":              {[]string{"exec", "--output", "xml", dir}, `--output "xml" is neither text nor json`},
		"timeout":             {[]string{"exec", "--timeout", "soon", dir}, `invalid argument "soon" for "--timeout"`},
		"id":                  {[]string{"exec", "--id", "bad id/../x", dir}, `--id "bad id/../x" is not an id`},
		"memory":              {[]string{"exec", "--memory", "much", dir}, `--memory "much" is not a size (write it as 512m or 2g)`},
		"cpus":                {[]string{"exec", "--cpus", "-1", dir}, "can't be negative"},
		"mirror":              {[]string{"exec", "--mirror", "docker.io", dir}, `--mirror "docker.io" is not of the form HOST=URL`},
		"mirror's password":   {[]string{"exec", "--mirror", "docker.io=http://u:hush@x", dir}, "--mirror for docker.io can't hold a user or password"},
		"mirror's scheme":     {[]string{"exec", "--mirror", "docker.io=ftp://x", dir}, "is not of the form HOST=URL"},
		"no CA file":          {[]string{"exec", "--ca", "host=none.pem", dir}, "reading the certificates of --ca: open none.pem"},
		"not a certificate":   {[]string{"exec", "--ca", filepath.Join(dir, "acr-task.yaml"), dir}, "holds no certificate in PEM form"},
		"no data folder":      {[]string{"exec", "--data", "", dir}, "--data names no folder"},
		"credential":          {[]string{"exec", "--credential", "user:hunter2", dir}, "the credential is not valid JSON"},
		"no vault file":       {[]string{"exec", "--vault", "none.yaml", dir}, "opening the file of --vault"},
		"isolation":           {[]string{"build", "--isolation", "strong", dir}, `--isolation "strong" is not known`},
		"push of no name":     {[]string{"build", "--push", dir}, "there is nothing to push"},
		"template of a flag":  {[]string{"build", "-t", "{{.Run.ID", dir}, "rendering an argument of the build"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.expect(t, statusInvalid, nil, []string{"drydockd: ", c.want}, c.args...)
			if strings.Contains(b.stderr.String(), "hunter2") {
				t.Error("the error shows a secret")
			}
			if opened, _ := b.executor.Sessions(); opened > 0 {
				t.Error("a run was opened")
			}
		})
	}
}

func TestStatusOfErrors(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		err  error
		want int
	}{
		"none":           {t.Context(), nil, 0},
		"failed":         {t.Context(), drydock.Errorf(drydock.Failed, "x"), 1},
		"unavailable":    {t.Context(), drydock.Errorf(drydock.Unavailable, "x"), 1},
		"denied":         {t.Context(), drydock.Errorf(drydock.Denied, "x"), 1},
		"another":        {t.Context(), errors.New("x"), 1},
		"invalid":        {t.Context(), drydock.Errorf(drydock.Invalid, "x"), 2},
		"canceled":       {t.Context(), drydock.Errorf(drydock.Canceled, "x"), 130},
		"after a signal": {canceled, errors.New("x"), 130},
		"done in time":   {canceled, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := newBench(t).report(c.ctx, c.err); got != c.want {
				t.Errorf("status is %d, want %d", got, c.want)
			}
		})
	}
}

func TestErrorIsOneLine(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.report(t.Context(), errors.Join(errors.New("first"), errors.New("second\r\n  third\n")))
	if got, want := b.stderr.String(), "drydockd: first; second; third\n"; got != want {
		t.Errorf("standard error is %q, want %q", got, want)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	newBench(t).expect(t, statusOK, []string{"drydockd unknown linux/"}, nil, "version")
}

func TestHelp(t *testing.T) {
	t.Parallel()
	newBench(t).expect(t, statusOK, []string{"exec ", "build ", "render ", "du ", "prune ", "version "}, nil)
}

func TestRunIDsAreShortAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		id := newRunID()
		if len(id) != 6 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("%q is not fit for a tag", id)
		}
		seen[id] = true
	}
	if len(seen) < 99 {
		t.Errorf("of 100 ids only %d differ", len(seen))
	}
}
