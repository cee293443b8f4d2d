package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/logs"
)

// bundle is an engine on the fake executor, and its log.
type bundle struct {
	*engine.Engine
	fake *enginetest.Fake
	log  *bytes.Buffer
}

func setup() *bundle {
	b := &bundle{fake: &enginetest.Fake{}, log: &bytes.Buffer{}}
	masker := logs.NewMasker()
	b.Engine = &engine.Engine{
		Executor: b.fake,
		Secrets:  masker,
		Log:      logs.New(logs.Options{Renderer: logs.NewText(b.log), Masker: masker}),
		Backoff:  func(int) time.Duration { return 0 },
	}
	return b
}

func cmd(id, text string) drydock.Step {
	return drydock.Step{ID: id, Cmd: text, Timeout: time.Hour, Network: "net"}
}

func run(t *testing.T, b *bundle, steps ...drydock.Step) (*drydock.RunResult, error) {
	t.Helper()
	return b.Run(t.Context(), &drydock.Plan{Steps: steps}, engine.RunSpec{ID: "r1"})
}

// capture is a program that keeps the containers that it was run as.
type capture struct {
	mu  sync.Mutex
	all []engine.Container
}

func (c *capture) program(_ context.Context, p *enginetest.Process) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := p.Container
	got.Stdin, got.Stdout, got.Stderr, got.Started = nil, nil, nil, nil
	c.all = append(c.all, got)
	return 0, nil
}

func TestContainers(t *testing.T) {
	t.Parallel()
	full := drydock.Step{
		ID: "id", Cmd: `one "$A b" $UNSET && X=9 two c`, Timeout: time.Hour,
		Env: []string{"A=first", "A=last"}, EntryPoint: "sh -c", User: "node", Network: "net",
		Ports: []string{"80:80"}, Expose: []string{"81"}, Privileged: true, Keep: true, CPUs: "0.5",
		VolumeMounts: []drydock.VolumeMount{{Name: "v", MountPath: "/v"}},
	}
	inSub, ownDirectory := full, full
	inSub.WorkingDirectory, inSub.Cmd = "sub", "one"
	ownDirectory.WorkingDirectory, ownDirectory.Cmd = "sub", "one"
	ownDirectory.DisableWorkingDirectoryOverride = true

	first := engine.Container{
		Name: "id", Image: "one", Args: []string{"last b"}, EntryPoint: "sh -c", Env: full.Env, Dir: "/workspace",
		User: "node", Network: "net", Ports: full.Ports, Expose: full.Expose, Privileged: true, CPUs: "0.5",
		Keep: true, Mounts: full.VolumeMounts,
	}
	second := engine.Container{
		Name: "id_1", Image: "two", Args: []string{"c"}, Env: []string{"A=first", "A=last", "X=9"},
		Dir: "/workspace", Network: "net", CPUs: "0.5", Mounts: full.VolumeMounts,
	}
	bare := first
	bare.Args = []string{}
	firstInSub, firstInOwn := bare, bare
	firstInSub.Dir, firstInOwn.Dir = "sub", ""

	tests := map[string]struct {
		step drydock.Step
		want []engine.Container
	}{
		"script":                  {full, []engine.Container{first, second}},
		"working directory":       {inSub, []engine.Container{firstInSub}},
		"image's own directory":   {ownDirectory, []engine.Container{firstInOwn}},
		"docker with entry point": {drydock.Step{ID: "d", Cmd: "docker x", EntryPoint: "sh", Timeout: time.Hour}, []engine.Container{{Name: "d", Image: "docker", Args: []string{"x"}, EntryPoint: "sh", Dir: "/workspace", Env: []string{}}}},
		"image with docker in it": {drydock.Step{ID: "d", Cmd: "my.example/docker x", Timeout: time.Hour}, []engine.Container{{Name: "d", Image: "my.example/docker", Args: []string{"x"}, Dir: "/workspace", Env: []string{}}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, c := setup(), &capture{}
			b.fake.Programs = map[string]enginetest.Program{
				"one": c.program, "two": c.program, "docker": c.program, "my.example/docker": c.program,
			}
			_, err := b.Run(t.Context(), &drydock.Plan{Steps: []drydock.Step{test.step}},
				engine.RunSpec{ID: "r1", AllowPrivileged: true})
			if err != nil {
				t.Fatalf("%v\n%s", err, b.log)
			}
			if diff := cmp.Diff(test.want, c.all, equateEmpty); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

var equateEmpty = cmp.FilterValues(
	func(a, b []string) bool { return len(a) == 0 && len(b) == 0 }, cmp.Comparer(func(_, _ []string) bool { return true }))

func TestRunReadsAllStepsFirst(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		bad  drydock.Step
		want string
	}{
		"cmd":   {drydock.Step{ID: "bad", Line: 7, Cmd: "bash $(date)"}, "line 7, column 1: reading the cmd of step ID: bad: "},
		"build": {drydock.Step{ID: "bad", Line: 7, Build: "-t a:1 --lable x=y ."}, "line 7, column 1: reading the build of step ID: bad: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup()
			result, err := run(t, b, cmd("good", "bash"), test.bad)
			if drydock.CodeOf(err) != drydock.Invalid || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("err = %s %v, want %s…", drydock.CodeOf(err), err, test.want)
			}
			if opened, _ := b.fake.Sessions(); opened != 0 {
				t.Error("a session was opened")
			}
			if result.Steps[0].Status != drydock.StepSkipped {
				t.Errorf("the good step is %s", result.Steps[0].Status)
			}
			if !strings.Contains(b.log.String(), "Run ID: r1 failed after 0s. Error: "+test.want) {
				t.Errorf("log:\n%s", b.log)
			}
		})
	}
}

// executorFunc is an executor that opens as it likes.
type executorFunc func(context.Context, engine.RunSpec) (engine.Session, error)

func (f executorFunc) Open(ctx context.Context, spec engine.RunSpec) (engine.Session, error) {
	return f(ctx, spec)
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		code drydock.Code
		want string
	}{
		"machine": {drydock.Errorf(drydock.Unavailable, "there is no runc").WithHint("install it"), drydock.Unavailable, "there is no runc (install it)"},
		"other":   {io.ErrUnexpectedEOF, drydock.Internal, "making the run ready: unexpected EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup()
			b.Executor = executorFunc(func(context.Context, engine.RunSpec) (engine.Session, error) { return nil, test.err })
			_, err := run(t, b, cmd("a", "bash"))
			if drydock.CodeOf(err) != test.code || err.Error() != test.want {
				t.Errorf("err = %s %v, want %s %s", drydock.CodeOf(err), err, test.code, test.want)
			}
		})
	}
}

func TestCanceledBeforeOpen(t *testing.T) {
	t.Parallel()
	b := setup()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	_, err := b.Run(ctx, &drydock.Plan{Steps: []drydock.Step{cmd("a", "bash")}}, engine.RunSpec{ID: "r1"})
	if drydock.CodeOf(err) != drydock.Canceled || err.Error() != "the run was canceled: interrupted" {
		t.Errorf("err = %s %v", drydock.CodeOf(err), err)
	}
	if !strings.HasSuffix(b.log.String(), "\nRun ID: r1 was canceled after 0s\n") {
		t.Errorf("log:\n%s", b.log)
	}
}

// A run that will go on elsewhere is not said to be canceled.
func TestHandedBack(t *testing.T) {
	t.Parallel()
	b := setup()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(&engine.HandedBack{Why: "later"})
	_, err := b.Run(ctx, &drydock.Plan{Steps: []drydock.Step{cmd("a", "bash")}}, engine.RunSpec{ID: "r1"})
	if drydock.CodeOf(err) != drydock.Canceled || err.Error() != "the run was stopped: later" {
		t.Errorf("err = %s %v", drydock.CodeOf(err), err)
	}
	if !strings.HasSuffix(b.log.String(), "\nRun ID: r1 was stopped after 0s: later\n") {
		t.Errorf("log:\n%s", b.log)
	}
}

func TestFailureKeepsCause(t *testing.T) {
	t.Parallel()
	b := setup()
	step := cmd("a", "bash")
	step.Env = []string{"FAKE_STATUS=3"}
	_, err := run(t, b, step)
	var exit *drydock.ExitError
	if drydock.CodeOf(err) != drydock.Failed || !errors.As(err, &exit) || exit.Status != 3 {
		t.Errorf("err = %s %v", drydock.CodeOf(err), err)
	}
}

func TestFailureKeepsCode(t *testing.T) {
	t.Parallel()
	b := setup()
	step := cmd("a", "bash")
	step.Privileged = true
	if _, err := run(t, b, step); drydock.CodeOf(err) != drydock.Denied {
		t.Errorf("err = %s %v", drydock.CodeOf(err), err)
	}
}

func TestRunMasksCredentials(t *testing.T) {
	t.Parallel()
	b := setup()
	step := cmd("a", "bash hunter2")
	_, err := b.Run(t.Context(), &drydock.Plan{Steps: []drydock.Step{step}}, engine.RunSpec{
		ID: "r1", Credentials: []drydock.Credential{{Registry: "my.example", Username: "me", Password: "hunter2"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if log := b.log.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "\nbash ***\n") {
		t.Errorf("log:\n%s", log)
	}
}

func TestResultMasksDependencies(t *testing.T) {
	t.Parallel()
	b := setup()
	result, err := b.Run(t.Context(), &drydock.Plan{
		Steps:        []drydock.Step{{ID: "b", Build: "-t my.example/hunter2:1 .", Timeout: time.Hour}},
		SecretValues: []string{"hunter2"},
	}, engine.RunSpec{ID: "r1", Source: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Dependencies[0].Image.Reference; got != "my.example/***:1" {
		t.Errorf("reference = %s", got)
	}
}

func TestRunReportsLogError(t *testing.T) {
	t.Parallel()
	b := setup()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	b.Log = logs.New(logs.Options{Renderer: logs.NewText(full)})
	result, err := run(t, b, cmd("a", "bash"))
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "writing the log") {
		t.Errorf("err = %s %v", drydock.CodeOf(err), err)
	}
	if result.Steps[0].Status != drydock.StepSuccessful {
		t.Errorf("the step is %s: a log must not stop it", result.Steps[0].Status)
	}
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := setup()
	var asked []int
	b.Backoff = func(attempt int) time.Duration { asked = append(asked, attempt); return 0 }
	_, err := run(t, b, drydock.Step{ID: "p", Push: []string{"my.example/none:1"}, Timeout: time.Hour})
	if err == nil || fmt.Sprint(asked) != "[1 2]" {
		t.Errorf("err = %v, waits after attempts %v", err, asked)
	}
}

// TestRetryOnErrorsAcrossWrites writes a text in two parts, at every place.
func TestRetryOnErrorsAcrossWrites(t *testing.T) {
	t.Parallel()
	const text, around = "connection reset", "read tcp: connection reset by peer"
	for split := range len(around) + 1 {
		for _, gap := range []int{1, 3, len(around)} {
			b := setup()
			attempts := 0
			b.fake.Programs = map[string]enginetest.Program{"img": func(_ context.Context, p *enginetest.Process) (int, error) {
				attempts++
				_, _ = io.WriteString(p.Stdout, strings.Repeat("x", 50))
				_, _ = io.WriteString(p.Stdout, around[:split])
				for rest := around[split:]; rest != ""; {
					n := min(gap, len(rest))
					_, _ = io.WriteString(p.Stdout, rest[:n])
					rest = rest[n:]
				}
				return 1, nil
			}}
			step := cmd("a", "img")
			step.Retries, step.RetryOnErrors = 1, []string{"no", text, "connection refused by policy"}
			if _, err := run(t, b, step); err == nil || attempts != 2 {
				t.Fatalf("split at %d, then every %d: %d attempts, %v", split, gap, attempts, err)
			}
		}
	}
}

func TestRetryOnErrorsLooksAtEachStream(t *testing.T) {
	t.Parallel()
	b := setup()
	attempts := 0
	b.fake.Programs = map[string]enginetest.Program{"img": func(_ context.Context, p *enginetest.Process) (int, error) {
		attempts++
		_, _ = io.WriteString(p.Stdout, "time")
		_, _ = io.WriteString(p.Stderr, "out")
		return 1, nil
	}}
	step := cmd("a", "img")
	step.Retries, step.RetryOnErrors = 1, []string{"timeout"}
	if _, err := run(t, b, step); err == nil || attempts != 1 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// TestSimultaneousFailures has many steps fail at once; one is the first.
func TestSimultaneousFailures(t *testing.T) {
	t.Parallel()
	b := setup()
	var steps []drydock.Step
	for i := range 20 {
		step := cmd(fmt.Sprintf("s%d", i), "bash")
		step.Env = []string{"FAKE_STATUS=1"}
		steps = append(steps, step)
	}
	result, err := run(t, b, steps...)
	if err == nil || strings.Count(b.log.String(), "\nfailed to run step ID: ") != 1 {
		t.Errorf("err = %v, log:\n%s", err, b.log)
	}
	for _, s := range result.Steps {
		if s.Status != drydock.StepFailed && s.Status != drydock.StepCanceled && s.Status != drydock.StepSkipped {
			t.Errorf("step %s is %s", s.ID, s.Status)
		}
	}
}

// TestUnreachableStep has a plan that waits for what does not exist.
func TestUnreachableStep(t *testing.T) {
	t.Parallel()
	b := setup()
	step := cmd("a", "bash")
	step.When = []string{"nothing"}
	if _, err := run(t, b, step); drydock.CodeOf(err) != drydock.Internal {
		t.Errorf("err = %v", err)
	}
}
