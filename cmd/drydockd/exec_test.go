package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
)

func TestExec(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(t, statusOK, []string{
		"2020/10/30 03:57:39 Executing step ID: hello.",
		"\nhello\n",
		"Step ID: hello marked as successful",
		"Run ID: ca4 was successful after 0s",
	}, nil, "exec", folder(t, hello))
	if !b.executor.closed.Load() {
		t.Error("the executor was not closed")
	}
}

func TestExecFailedTask(t *testing.T) {
	t.Parallel()
	dir := folder(t, `
-- acb.yaml --
version: v1.1.0
steps:
- id: validate
  cmd: bash ./test.sh
  env: [FAKE_STATUS=1]
- id: promote
  cmd: bash promote
  when: [validate]
`)
	newBench(t).expect(t, statusFailed, []string{
		"Container failed during run: validate. No retries remaining.",
		"Step ID: promote marked as skipped",
		"Run ID: ca4 failed after 0s. Error: failed to run step ID: validate: exit status 1",
	}, []string{"drydockd: failed to run step ID: validate: exit status 1\n"}, "exec", dir)
}

func TestExecJSON(t *testing.T) {
	t.Parallel()
	dir := folder(t, `
-- acb.yaml --
version: v1.1.0
steps:
- build: -t {{.Run.Registry}}/app:{{.Run.ID}} .
  id: build
- id: fails
  cmd: bash x
  env: [FAKE_STATUS=3, FAKE_OUT=<o>]
-- Dockerfile --
FROM localhost:5000/base
`)
	b := newBench(t)
	b.executor.Registry = enginetest.NewRegistry("localhost:5000/base")
	b.expect(t, statusFailed, []string{`"step":"fails","stream":"stdout","line":"<o>"`}, []string{"exit status 3"},
		"exec", "-o", "json", "-r", "r.example", dir)

	var got runResult
	lines := strings.Split(strings.TrimSpace(b.stdout.String()), "\n")
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Result.Dependencies) != 1 || got.Result.Dependencies[0].Image.Reference != "r.example/app:ca4" {
		t.Errorf("dependencies are %+v", got.Result.Dependencies)
	}
	got.Result.Seconds, got.Result.Dependencies = 0, nil
	for i := range got.Result.Steps {
		got.Result.Steps[i].Seconds = 0
	}
	want := runSummary{
		ID: "ca4", Status: runFailed, Error: "failed to run step ID: fails: exit status 3",
		Steps: []stepSummary{
			{ID: "build", Status: drydock.StepSuccessful},
			{ID: "fails", Status: drydock.StepFailed, Error: "exit status 3"},
		},
	}
	if d := cmp.Diff(want, got.Result); d != "" {
		t.Errorf("result (-want +got):\n%s", d)
	}
}

func TestExecJSONWithoutSteps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.expect(t, statusInvalid, []string{
		`{"result":{"id":"ca4","status":"Failed","error":"there is no task file`, `"steps":[],"dependencies":[]`,
	}, []string{"drydockd: there is no task file"}, "exec", "-o", "json", t.TempDir())
}

func TestExecInterrupted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	b.executor.Programs = map[string]enginetest.Program{
		"waits": func(ctx context.Context, _ *enginetest.Process) (int, error) {
			cancel(errors.New("interrupt signal received"))
			<-ctx.Done()
			return 0, context.Cause(ctx)
		},
	}
	dir := folder(t, "-- acb.yaml --\nsteps:\n- id: w\n  cmd: waits\n")
	if got := b.run(ctx, []string{"exec", dir}); got != statusInterrupted {
		t.Errorf("status is %d, want %d", got, statusInterrupted)
	}
	holds(t, "standard output", b.stdout.String(), []string{"Run ID: ca4 was canceled after"})
	holds(t, "standard error", b.stderr.String(), []string{"the run was canceled: interrupt signal received"})
	if opened, closed := b.executor.Sessions(); opened != 1 || closed != 1 || !b.executor.closed.Load() {
		t.Errorf("of %d sessions %d were closed, the executor: %t", opened, closed, b.executor.closed.Load())
	}
}

// A run whose output nobody reads any more is stopped, with its clean-up.
func TestExecOutputIsClosed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	r, w := io.Pipe()
	b.program.stdout = w
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	dir := folder(t, "-- acb.yaml --\nsteps:\n- cmd: image\n  env: [FAKE_OUT=x, FAKE_TIME=1h]\n")
	if got := b.run(t.Context(), []string{"exec", dir}); got != statusInterrupted {
		t.Errorf("status is %d, want %d", got, statusInterrupted)
	}
	holds(t, "standard error", b.stderr.String(), []string{"the run was canceled: writing the output: io: read/write on closed pipe"})
	if opened, closed := b.executor.Sessions(); opened != closed {
		t.Errorf("of %d sessions %d were closed", opened, closed)
	}
}

func TestExecTimeout(t *testing.T) {
	t.Parallel()
	dir := folder(t, "-- acb.yaml --\nsteps:\n- id: w\n  cmd: waits\n  env: [FAKE_TIME=1h]\n")
	newBench(t).expect(t, statusFailed, []string{"Run ID: ca4 timed out after"},
		[]string{"the run timed out after 0.05s"}, "exec", "--timeout", "50ms", dir)
}

func TestExecTaskSources(t *testing.T) {
	t.Parallel()
	const task = "version: v1.1.0\nsteps:\n- id: a\n  cmd: bash {{.Values.who}} $X\n"
	encode := base64.StdEncoding.EncodeToString
	dir := folder(t, `
-- tasks/t.yaml --
version: v1.1.0
alias:
  src: [names.yaml]
steps:
- id: a
  cmd: bash {{.Values.who}} $X
-- tasks/names.yaml --
X: near
-- names.yaml --
X: far
-- v.yaml --
who: file
`)
	for name, c := range map[string]struct {
		stdin string
		args  []string
		want  string
	}{
		"file below the source":       {"", []string{"-f", "tasks/t.yaml", "--values", "v.yaml"}, "file near"},
		"standard input":              {task, []string{"-f", "-", "--set", "who=stdin"}, "stdin $X"},
		"base64":                      {"", []string{"--encoded-file", encode([]byte(task)), "--encoded-values", encode([]byte("who: me"))}, "me $X"},
		"set is stronger":             {task, []string{"-f", "-", "--values", "v.yaml", "--set", "who=flag"}, "flag $X"},
		"value with commas and equal": {task, []string{"-f", "-", "--set", "who=a,b=c"}, "a,b=c $X"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.stdin = strings.NewReader(c.stdin)
			b.expect(t, statusOK, []string{"[DRY RUN] cmd: mcr.microsoft.com/acr/bash:2ff604c " + c.want + "\n"}, nil, append([]string{"exec", "--dry-run", dir}, c.args...)...)
		})
	}
}

func TestExecReadsNoHugeTask(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.stdin = strings.NewReader("# " + strings.Repeat("x", 1<<20))
	b.expect(t, statusInvalid, nil, []string{"reading standard input: the file is larger than 1 MiB"}, "exec", "-f", "-", t.TempDir())
	b = newBench(t)
	b.stdin = iotest.ErrReader(errors.New("broken pipe"))
	b.expect(t, statusInvalid, nil, []string{"reading standard input: broken pipe"}, "exec", "-f", "-", t.TempDir())
}

func TestExecSecrets(t *testing.T) {
	t.Parallel()
	dir := folder(t, `
-- acb.yaml --
version: v1.1.0
secrets:
- id: token
  keyvault: https://V.vault.azure.net/secrets/token/
steps:
- id: show
  cmd: bash {{.Secrets.token}} {{.Values.pin}}
  env: ["FAKE_OUT=from the vault: {{.Secrets.token}}, set: {{.Values.pin}}, registry: hunter2"]
-- vault.yaml --
https://v.vault.azure.net/secrets/token: s3cr3t-of-the-vault
https://v.vault.azure.net/secrets/password: hunter2
`)
	args := []string{"exec", "--vault", dir + "/vault.yaml", "--set-secret", "pin=9753186420", "--debug", dir}
	b := newBench(t)
	b.run(t.Context(), append(args, "--credential", `{"registry":"r.example","username":"u","userNameProviderType":"opaque",
		"password":"https://v.vault.azure.net/secrets/password","passwordProviderType":"vaultsecret","identity":"system"}`))
	holds(t, "standard output", b.stdout.String(), []string{
		"Rendered task:", "bash:2ff604c *** ***\n",
		"from the vault: ***, set: ***, registry: ***", "was successful",
	})
	for _, secret := range []string{"s3cr3t", "9753186420", "hunter2"} {
		if strings.Contains(b.stdout.String()+b.stderr.String(), secret) {
			t.Errorf("the output shows %s:\n%s%s", secret, b.stdout.String(), b.stderr.String())
		}
	}
	want := []drydock.Credential{{Registry: "r.example", Username: "u", Password: "hunter2"}}
	if d := cmp.Diff(want, b.executor.spec.Credentials); d != "" {
		t.Errorf("credentials (-want +got):\n%s", d)
	}
}

func TestExecSecretsOutOfReach(t *testing.T) {
	t.Parallel()
	dir := folder(t, `
-- acb.yaml --
version: v1.1.0
secrets:
- id: token
  keyvault: https://v.vault.azure.net/secrets/token
steps:
- cmd: bash {{.Secrets.token}}
-- other.yaml --
https://v.vault.azure.net/secrets/other: secret-of-another
-- broken.yaml --
- secret-in-a-list
`)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"https://v.vault.azure.net/secrets/token is in a key vault, and none is within reach here (give its value in a file with --vault)", nil},
		{"other.yaml has no value for https://v.vault.azure.net/secrets/token", []string{"--vault", dir + "/other.yaml"}},
		{"broken.yaml is not a YAML map of secret URLs to their values", []string{"--vault", dir + "/broken.yaml"}},
	} {
		b := newBench(t)
		b.expect(t, statusInvalid, nil, []string{c.want}, append([]string{"exec", dir}, c.args...)...)
		if strings.Contains(b.stderr.String(), "secret-") {
			t.Errorf("the error shows a secret: %s", b.stderr.String())
		}
	}
}

func TestExecSpec(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	dir := folder(t, "-- acb.yaml --\nsteps:\n- cmd: image\n  env: ['FAKE_OUT={{.Run.ID}} {{.Values.who}} {{.Run.TaskName}}']\n")
	b.expect(t, statusOK, []string{"\n7 you nightly\n", "\nfrom a flag\n"}, nil, "exec", "--id", "7", "--name", "nightly", "-r", "r.example",
		"--set", "who=you", "--env", "FAKE_ERR=from a flag", "--memory", "512m", "--cpus", "1.5", "--pids", "100", "--publish",
		"--allow-privileged", "--mirror", "docker.io=localhost:5000/hub/", "--mirror", "docker.io=http://10.0.0.1",
		"--insecure-registry", "r.example", "--data", "data", dir)
	spec := b.executor.spec
	if spec.ID != "7" || spec.TaskName != "nightly" || spec.Registry != "r.example" || spec.Source != dir ||
		!spec.Publish || !spec.AllowPrivileged {
		t.Errorf("spec is %+v", spec)
	}
	if d := cmp.Diff(drydock.Limits{Memory: 512 << 20, CPUs: 1.5, PIDs: 100}, spec.Limits); d != "" {
		t.Errorf("limits (-want +got):\n%s", d)
	}
	var mirrors []string
	for _, u := range b.opened.mirrors["docker.io"] {
		mirrors = append(mirrors, u.String())
	}
	if d := cmp.Diff([]string{"https://localhost:5000/hub", "http://10.0.0.1"}, mirrors); d != "" {
		t.Errorf("mirrors (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"r.example"}, b.opened.insecure); d != "" {
		t.Errorf("insecure (-want +got):\n%s", d)
	}
}
