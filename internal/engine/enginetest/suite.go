package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Fixture is an executor and what it may use in the suite.
type Fixture struct {
	Executor engine.Executor
	// Busybox is an image in a registry that the executor can pull from
	// without a login. It has sh, cat, sleep, mkdir, httpd and wget.
	Busybox string
	// Registry is the host, with port if any, of a registry that takes pushes
	// without a login.
	Registry string
	// Digest asks the registry what an image's reference stands for.
	Digest func(ctx context.Context, image string) (string, error)
}

// Run checks that an executor does what its port promises. newFixture is called
// once; what it made is released by t.Cleanup. Tests run in parallel, each in
// a session of its own.
func Run(t *testing.T, newFixture func(t *testing.T) Fixture) {
	t.Helper()
	f := newFixture(t)
	s := &suite{Fixture: f}
	for name, check := range map[string]func(*testing.T, *suite){
		"Status":             testStatus,
		"Streams":            testStreams,
		"Pipe":               testPipe,
		"UnreadStdin":        testUnreadStdin,
		"MuchOutput":         testMuchOutput,
		"Parallel":           testParallel,
		"Env":                testEnv,
		"WorkingDirectory":   testWorkingDirectory,
		"EntryPoint":         testEntryPoint,
		"UnknownImage":       testUnknownImage,
		"Privileged":         testPrivileged,
		"NameInUse":          testNameInUse,
		"Cancel":             testCancel,
		"Timeout":            testTimeout,
		"CloseWhileRunning":  testCloseWhileRunning,
		"Workspace":          testWorkspace,
		"RunsAreSeparate":    testRunsAreSeparate,
		"OpenFile":           testOpenFile,
		"OpenFileOutside":    testOpenFileOutside,
		"Home":               testHome,
		"Volume":             testVolume,
		"Names":              testNames,
		"DockerKeepsDigest":  testDockerKeepsDigest,
		"DockerLogin":        testDockerLogin,
		"DockerUnsupported":  testDockerUnsupported,
		"BuildPush":          testBuildPush,
		"PushOfUnknownImage": testPushOfUnknownImage,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, s)
		})
	}
}

type suite struct {
	Fixture
	mu   sync.Mutex
	runs int
}

// newSpec returns a run of its own.
func (s *suite) newSpec() engine.RunSpec {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs++
	return engine.RunSpec{
		ID:       fmt.Sprintf("suite%d", s.runs),
		Registry: s.Registry,
		Networks: []drydock.Network{{Name: drydock.DefaultNetwork, Driver: "bridge", IsDefault: true}},
	}
}

// open opens a session that is closed at the end of the test.
func (s *suite) open(t *testing.T, spec engine.RunSpec) engine.Session {
	t.Helper()
	session, err := s.Executor.Open(t.Context(), spec)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		if err := session.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return session
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

// sh returns a container that runs a script.
func (s *suite) sh(name, script string) (c engine.Container, stdout, stderr *output) {
	stdout, stderr = &output{}, &output{}
	return engine.Container{
		Name: name, Image: s.Busybox, Args: []string{"sh", "-c", script},
		Dir: workspace, Network: drydock.DefaultNetwork,
		Stdout: stdout, Stderr: stderr,
	}, stdout, stderr
}

// mustRun runs a container that has to succeed and returns what it wrote.
func mustRun(t *testing.T, session engine.Session, c engine.Container) string {
	t.Helper()
	var out, errs output
	c.Stdout, c.Stderr = &out, &errs
	if err := session.Run(t.Context(), c); err != nil {
		t.Fatalf("Run %q: %v\n%s%s", c.Args, err, out.String(), errs.String())
	}
	return out.String()
}

// started runs a container in the background and returns when it runs.
func started(t *testing.T, ctx context.Context, session engine.Session, c engine.Container) <-chan error {
	t.Helper()
	running, done := make(chan struct{}), make(chan error, 1)
	c.Started = func() { close(running) }
	go func() { done <- session.Run(ctx, c) }()
	select {
	case <-running:
	case err := <-done:
		t.Fatalf("container %s ended before it was started: %v", c.Name, err)
	}
	return done
}

func wantStatus(t *testing.T, err error, status int) {
	t.Helper()
	var exit *drydock.ExitError
	if !errors.As(err, &exit) || exit.Status != status {
		t.Fatalf("error is %v, want exit status %d", err, status)
	}
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Fatalf("%s is %q, want %q", what, got, want)
	}
}

// silent fails if err is an exit status: the container was to be refused.
func silent(t *testing.T, err error, mention string) {
	t.Helper()
	var exit *drydock.ExitError
	if err == nil || errors.As(err, &exit) || !strings.Contains(err.Error(), mention) {
		t.Fatalf("error is %v, want one that mentions %q", err, mention)
	}
}
