package buildkit_test

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// testRun is a run whose steps are written in a line each.
type testRun struct {
	engine.Session
	t      *testing.T
	env    []string // of the steps
	dir    string   // their working directory
	task   bool     // cache: enabled
	mounts []drydock.VolumeMount
	step   atomic.Int32
}

// openRun opens a run on the files of a txtar archive.
func openRun(t *testing.T, e *buildkit.Executor, files string, change ...func(*engine.RunSpec)) *testRun {
	t.Helper()
	source := t.TempDir()
	writeFiles(t, source, files)
	spec := engine.RunSpec{
		ID:       "run",
		Source:   source,
		Networks: []drydock.Network{{Name: drydock.DefaultNetwork, Driver: "bridge", IsDefault: true}},
	}
	for _, f := range change {
		f(&spec)
	}
	s, err := e.Open(t.Context(), spec)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	r := &testRun{Session: s, t: t, dir: "/workspace"}
	t.Cleanup(r.close)
	return r
}

// close closes the run, once.
func (r *testRun) close() {
	if r.Session == nil {
		return
	}
	if err := r.Session.Close(); err != nil {
		r.t.Errorf("Close: %v", err)
	}
	r.Session = nil
}

func writeFiles(t *testing.T, dir, files string) {
	t.Helper()
	for _, f := range txtar.Parse([]byte(files)).Files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tarOf packs the files of a txtar archive.
func tarOf(t *testing.T, files string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range txtar.Parse([]byte(files)).Files {
		header := &tar.Header{Name: f.Name, Mode: 0o644, Size: int64(len(f.Data))}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// try builds and returns the progress.
func (r *testRun) try(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	r.t.Helper()
	flags, err := buildflags.Parse(args)
	if err != nil {
		return "", err
	}
	out := &output{}
	err = r.Build(ctx, engine.Build{
		StepID: fmt.Sprintf("step%d", r.step.Add(1)), Flags: flags, Dir: r.dir, Env: r.env,
		Mounts: r.mounts, Cache: r.task, Stdin: stdin, Out: out,
	})
	return out.String(), err
}

// build is try for a build that has to succeed.
func (r *testRun) build(args ...string) string {
	r.t.Helper()
	out, err := r.try(r.t.Context(), nil, args...)
	if err != nil {
		r.t.Fatalf("build %q: %v\n%s", args, err, out)
	}
	return out
}

// buildError is try for a build that has to fail, and returns the error.
func (r *testRun) buildError(args ...string) error {
	r.t.Helper()
	out, err := r.try(r.t.Context(), nil, args...)
	if err == nil {
		r.t.Fatalf("build %q succeeded\n%s", args, out)
	}
	return err
}

// run runs a script in a container of an image with a shell and returns what it
// wrote to its standard output.
func (r *testRun) run(image, script string) string {
	r.t.Helper()
	out, err := r.tryRun(image, script)
	if err != nil {
		r.t.Fatalf("run %s %q: %v\n%s", image, script, err, out)
	}
	return out
}

func (r *testRun) tryRun(image, script string) (string, error) {
	out := &output{}
	err := r.Run(r.t.Context(), engine.Container{
		Name: fmt.Sprintf("c%d", r.step.Add(1)), Image: image, EntryPoint: "sh -c", Args: []string{script}, Dir: "/workspace",
		Network: drydock.DefaultNetwork, Stdout: out, Stderr: out,
	})
	return out.String(), err
}

// docker carries out a docker command that has to succeed and returns its
// standard output.
func (r *testRun) docker(args ...string) string {
	r.t.Helper()
	out, errs, err := r.tryDocker(nil, args...)
	if err != nil {
		r.t.Fatalf("docker %q: %v\n%s%s", args, err, out, errs)
	}
	return out
}

func (r *testRun) tryDocker(stdin io.Reader, args ...string) (stdout, stderr string, err error) {
	var out, errs output
	err = r.Docker(r.t.Context(), engine.DockerCommand{
		StepID: fmt.Sprintf("step%d", r.step.Add(1)), Args: args, Env: r.env, Dir: r.dir, Stdin: stdin, Stdout: &out, Stderr: &errs,
	})
	return out.String(), errs.String(), err
}

// push pushes an image and returns its digest.
func (r *testRun) push(image string) string {
	r.t.Helper()
	digest, err := r.Push(r.t.Context(), image, io.Discard)
	if err != nil {
		r.t.Fatalf("push %s: %v", image, err)
	}
	return digest
}

// output collects what several goroutines write.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// wantContains fails unless a text has all of the parts.
func wantContains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s has no %q:\n%s", what, part, text)
		}
	}
}

func wantEqual(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %q, want %q", what, got, want)
	}
}

// wantError fails unless an error has a code and mentions all of the parts.
func wantError(t *testing.T, err error, code drydock.Code, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that mentions %q", parts)
		return
	}
	if got := drydock.CodeOf(err); got != code {
		t.Errorf("code is %s, want %s: %v", got, code, err)
	}
	wantContains(t, "the error", err.Error(), parts...)
}

// transport makes go-containerregistry ask without a proxy.
var transport = &http.Transport{}

// withLogin gives a run credentials for a registry.
func withLogin(reg *registry.Registry, user, password string) func(*engine.RunSpec) {
	return func(s *engine.RunSpec) {
		s.Credentials = append(s.Credentials, drydock.Credential{Registry: reg.Host, Username: user, Password: password})
	}
}
