package shell_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/shell"
)

type images = map[string]func(context.Context, shell.Command) error

func mustParse(t *testing.T, cmd string) *shell.Script {
	t.Helper()
	s, err := shell.Parse(cmd)
	if err != nil {
		t.Fatalf("Parse(%q): %v", cmd, err)
	}
	return s
}

func waitDone(ctx context.Context, _ shell.Command) error {
	<-ctx.Done()
	return fmt.Errorf("container killed: %w", ctx.Err())
}

func TestRunCommands(t *testing.T) {
	t.Parallel()
	f := &fake{}
	const cmd = `B=1 C=$B az login -u "$A"; $R/app:$TAG --flag && (skopeo copy a b; D=2; $E x $D)`
	env := map[string]string{"A": "a b", "R": "reg.io", "TAG": "v1", "E": "echo  -n"}
	err := mustParse(t, cmd).Run(t.Context(), func(n string) (string, bool) { v, ok := env[n]; return v, ok }, nil, nil, nil, f)
	if err != nil {
		t.Fatal(err)
	}
	want := []shell.Command{
		{Index: 0, Args: []string{"az", "login", "-u", "a b"}, Env: []string{"B=1", "C=1"}},
		{Index: 1, Args: []string{"reg.io/app:v1", "--flag"}},
		{Index: 2, Args: []string{"skopeo", "copy", "a", "b"}},
		{Index: 3, Args: []string{"echo", "-n", "x", "2"}},
	}
	if diff := cmp.Diff(want, f.ran); diff != "" {
		t.Error(diff)
	}
	f.idle(t)
}

// TestRunTwice runs one script again: nothing of a run stays in it.
func TestRunTwice(t *testing.T) {
	t.Parallel()
	s := mustParse(t, `a "[$N]"; N=1; a "[$N]"`)
	for range 2 {
		f := &fake{}
		if err := s.Run(t.Context(), nil, nil, nil, nil, f); err != nil {
			t.Fatal(err)
		}
		if f.ran[0].Args[1] != "[]" || f.ran[1].Args[1] != "[1]" {
			t.Errorf("ran %v", f.ran)
		}
	}
}

func TestRunStreams(t *testing.T) {
	t.Parallel()
	f := &fake{images: images{
		"copy": func(_ context.Context, c shell.Command) error {
			_, err := io.Copy(c.Stdout, c.Stdin)
			return err
		},
		"nothing": func(_ context.Context, c shell.Command) error {
			if c.Stdin != nil || c.Stdout != nil || c.Stderr == nil {
				return errors.New("standard input and output should be nil, standard error not")
			}
			return nil
		},
	}}
	var out bytes.Buffer
	if err := mustParse(t, `copy | copy`).Run(t.Context(), nil, strings.NewReader("in"), &out, nil, f); err != nil || out.String() != "in" {
		t.Errorf("copied %q: %v", &out, err)
	}
	if err := mustParse(t, `nothing; nothing <&- >&-`).Run(t.Context(), nil, nil, nil, &out, f); err != nil {
		t.Error(err)
	}
	f.idle(t)
}

// TestRunPipelineIsConcurrent has each side wait for the other.
func TestRunPipelineIsConcurrent(t *testing.T) {
	t.Parallel()
	left, right := make(chan struct{}), make(chan struct{})
	f := &fake{images: images{
		"left":  func(context.Context, shell.Command) error { close(left); <-right; return nil },
		"right": func(context.Context, shell.Command) error { close(right); <-left; return nil },
	}}
	if err := mustParse(t, `left | right`).Run(t.Context(), nil, nil, nil, nil, f); err != nil {
		t.Error(err)
	}
	f.idle(t)
}

// TestRunReaderEndsFirst has a writer that would write without end.
func TestRunReaderEndsFirst(t *testing.T) {
	t.Parallel()
	forever := func(_ context.Context, c shell.Command) error {
		for {
			if _, err := c.Stdout.Write(make([]byte, 4096)); err != nil {
				return fmt.Errorf("copying the output: %w", err)
			}
		}
	}
	f := &fake{images: images{"forever": forever}}
	if err := mustParse(t, `forever | forever | true`).Run(t.Context(), nil, nil, nil, nil, f); err != nil {
		t.Error(err)
	}
	err := mustParse(t, `{ forever; echo $?; } | true`).Run(t.Context(), nil, nil, nil, nil, f)
	if last := f.ran[len(f.ran)-1].Args; err != nil || !cmp.Equal(last, []string{"echo", "141"}) {
		t.Errorf("last ran %v: %v", last, err)
	}
	f.idle(t)
}

func TestRunStatus(t *testing.T) {
	t.Parallel()
	reason := &drydock.ExitError{Status: 137, Reason: "memory limit"}
	f := &fake{images: images{"fail": func(context.Context, shell.Command) error { return fmt.Errorf("running: %w", reason) }}}
	for cmd, want := range map[string]error{
		`fail`: reason, `fail; true`: nil, `true; fail`: reason, `true | fail`: reason, `fail | true`: nil, `true && fail`: reason,
		`! fail`: nil, `(fail)`: reason, `{ fail; }`: reason, `fail || fail`: reason,
	} {
		err := mustParse(t, cmd).Run(t.Context(), nil, nil, nil, nil, f)
		if !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", cmd, err, want)
		}
	}
}

// TestRunFatal has an error that is not a status: it stops everything and is
// returned as it is.
func TestRunFatal(t *testing.T) {
	t.Parallel()
	broken := errors.New("registry unreachable")
	for _, cmd := range []string{
		`broken`, `broken; never`, `broken || never`, `! broken`, `(broken); never`, `{ broken; } && never`,
		`broken | wait`, `wait | broken`, `wait | wait | broken`, `broken | wait | wait; never`, `(wait | broken) || never`, `true | { broken; never; }`,
	} {
		t.Run(cmd, func(t *testing.T) {
			t.Parallel()
			f := &fake{images: images{"wait": waitDone, "broken": func(context.Context, shell.Command) error { return broken }}}
			if err := mustParse(t, cmd).Run(t.Context(), nil, nil, nil, nil, f); err != broken {
				t.Errorf("Run: %v", err)
			}
			for _, c := range f.ran {
				if c.Args[0] == "never" {
					t.Error("a later command ran")
				}
			}
			f.idle(t)
		})
	}
}

func TestRunCanceled(t *testing.T) {
	t.Parallel()
	stopped := errors.New("stopped by the user")
	for _, cmd := range []string{`wait`, `wait | wait`, `wait || never`, `(wait; never) | { wait; never; }`, `ignore; never`} {
		t.Run(cmd, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			f := &fake{images: images{
				"wait":   func(ctx context.Context, c shell.Command) error { cancel(stopped); return waitDone(ctx, c) },
				"ignore": func(context.Context, shell.Command) error { cancel(stopped); return nil },
			}}
			if err := mustParse(t, cmd).Run(ctx, nil, nil, nil, nil, f); err != stopped {
				t.Errorf("Run: %v", err)
			}
			for _, c := range f.ran {
				if c.Args[0] == "never" {
					t.Error("a command ran after the end")
				}
			}
			f.idle(t)
		})
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		cmd    string
		column int
		want   string
	}{
		{`$UNSET a`, 1, "`$UNSET` is empty"},
		{`true; "$UNSET" a`, 7, "`\"$UNSET\"` is empty"},
		{`true; ${UNSET:-} a`, 7, "`${UNSET:-}` is empty"},
		{`$FLAG bash`, 1, "`-it`"},
		{`bash ${UNSET:?must be set}`, 6, "UNSET: must be set"},
		{`bash ${UNSET?}`, 6, "UNSET: parameter not set"},
		{`bash $((1/0))`, 6, "division by zero"},
		{`bash ${1:=x}`, 6, "`1` can't be assigned"},
		{`bash >$UNSET`, 6, "file name of `>` is empty"},
		{`bash 2>&5`, 6, "descriptor 5 is not open"},
	}
	for _, tt := range tests {
		f := &fake{}
		env := func(name string) (string, bool) { v, ok := map[string]string{"FLAG": "-it"}[name]; return v, ok }
		err := mustParse(t, tt.cmd).Run(t.Context(), env, nil, nil, nil, f)
		var e *drydock.Error
		if !errors.As(err, &e) || e.Code != drydock.Invalid || e.Column != tt.column || !strings.Contains(e.Message, tt.want) {
			t.Errorf("%s: %v; want %q at column %d", tt.cmd, err, tt.want, tt.column)
		}
		f.idle(t)
	}
}

// TestRunOpenErrors tells a file that isn't there, which fails the command,
// from one that is refused, which ends the script.
func TestRunOpenErrors(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	f := &fake{}
	err := mustParse(t, `never >ok <missing >ok || echo $?`).Run(t.Context(), nil, nil, nil, &stderr, f)
	if err != nil || len(f.ran) != 1 || !cmp.Equal(f.ran[0].Args, []string{"echo", "2"}) {
		t.Errorf("ran %v: %v", f.ran, err)
	}
	if want := "cannot open missing: file does not exist\n"; stderr.String() != want {
		t.Errorf("stderr %q, want %q", &stderr, want)
	}
	f.idle(t)

	// The message names the file as the script does, and is not redirected.
	stderr.Reset()
	f = &fake{openErr: &fs.PathError{Op: "open", Path: "/host/run1/x", Err: fs.ErrPermission}}
	err = mustParse(t, `never 2>&1 >x`).Run(t.Context(), nil, nil, nil, &stderr, f)
	if want := "cannot open x: permission denied\n"; err == nil || stderr.String() != want {
		t.Errorf("stderr %q, want %q: %v", &stderr, want, err)
	}

	f = &fake{openErr: fmt.Errorf("opening: %w", drydock.Errorf(drydock.Denied, "outside the workspace"))}
	if err := mustParse(t, `never >../x || never`).Run(t.Context(), nil, nil, nil, nil, f); err != f.openErr || len(f.ran) != 0 {
		t.Errorf("ran %v: %v", f.ran, err)
	}
}

// TestRunSharedOutput has the sides of a pipeline write to one writer that
// does not lock.
func TestRunSharedOutput(t *testing.T) {
	t.Parallel()
	const lines = 1000
	write := func(_ context.Context, c shell.Command) error {
		for range lines {
			if _, err := io.WriteString(c.Stderr, "line\n"); err != nil {
				return err
			}
		}
		return nil
	}
	var out bytes.Buffer
	f := &fake{images: images{"write": write}}
	if err := mustParse(t, `write | write >&2 | write 2>&1`).Run(t.Context(), nil, nil, &out, &out, f); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("line\n", 3*lines); out.String() != want {
		t.Errorf("%d bytes, want %d", out.Len(), len(want))
	}
}
