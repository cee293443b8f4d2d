package plan_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

const aTask = "steps:\n  - cmd: busybox true\n"

// wantError fails unless err is a *drydock.Error with the code and the text.
func wantError(t *testing.T, err error, code drydock.Code, text string) {
	t.Helper()
	var e *drydock.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T (%v), want a *drydock.Error", err, err)
	}
	if e.Code != code || !strings.Contains(e.Error(), text) {
		t.Errorf("got %s: %v\nwant %s: …%s…", e.Code, e, code, text)
	}
}

func TestFilesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	large := append([]byte(aTask), bytes.Repeat([]byte("#"), 1<<20)...)
	_, err := plan.Make(t.Context(), plan.Input{File: "f.yaml", Task: large})
	wantError(t, err, drydock.Invalid, "f.yaml: the task file has ")
	_, err = plan.Render(t.Context(), plan.Input{File: "f.yaml", Task: large})
	wantError(t, err, drydock.Invalid, "f.yaml: the task file has ")
	_, err = plan.Make(t.Context(), plan.Input{Task: []byte(aTask), Values: large})
	wantError(t, err, drydock.Invalid, "the values file has ")

	in := plan.Input{
		Task:    []byte("version: v1.1.0\nalias:\n  src: [a]\n" + aTask),
		Aliases: fetch(func(context.Context, string) ([]byte, error) { return large, nil }),
	}
	_, err = plan.Make(t.Context(), in)
	wantError(t, err, drydock.Invalid, "line 3, column 9: reading aliases from \"a\": it has more than")
}

// TestLargestFile has a task of the size that is still allowed.
func TestLargestFile(t *testing.T) {
	t.Parallel()
	task := []byte(aTask + "#")
	task = append(task, bytes.Repeat([]byte("x"), 1<<20-len(task))...)
	if _, err := plan.Make(t.Context(), plan.Input{Task: task}); err != nil {
		t.Error(err)
	}
}

// TestAliasesThatExplode has a long alias in many places.
func TestAliasesThatExplode(t *testing.T) {
	t.Parallel()
	task := "version: v1.1.0\nalias:\n  values:\n    a: " + strings.Repeat("x", 1<<19) + "\n" +
		"steps:\n  - cmd: busybox " + strings.Repeat("$a", 1<<17) + "\n"
	_, err := plan.Make(t.Context(), plan.Input{Task: []byte(task)})
	wantError(t, err, drydock.Invalid, "the aliases make the task larger than")
}

func TestEmptyFile(t *testing.T) {
	t.Parallel()
	for _, task := range []string{"", " \n\t\n"} {
		_, err := plan.Make(t.Context(), plan.Input{File: "f.yaml", Task: []byte(task)})
		wantError(t, err, drydock.Invalid, "f.yaml: the task file is empty")
	}
}

// fetch is an AliasSource.
type fetch func(ctx context.Context, uri string) ([]byte, error)

func (f fetch) Fetch(ctx context.Context, uri string) ([]byte, error) { return f(ctx, uri) }

func TestAliasSourceFails(t *testing.T) {
	t.Parallel()
	task := []byte("version: v1.1.0\nalias:\n  src: [https://a.test/x.yaml]\n" + aTask)
	_, err := plan.Make(t.Context(), plan.Input{Task: task})
	wantError(t, err, drydock.Invalid, "files and URLs of aliases can't be read here")

	in := plan.Input{Task: task, Aliases: fetch(func(context.Context, string) ([]byte, error) {
		return nil, drydock.Errorf(drydock.Unavailable, "status 404")
	})}
	_, err = plan.Make(t.Context(), in)
	wantError(t, err, drydock.Unavailable, "line 3, column 9: reading aliases from \"https://a.test/x.yaml\": status 404")

	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	in.Aliases = fetch(func(ctx context.Context, _ string) ([]byte, error) {
		cancel(stopped)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if _, err = plan.Make(ctx, in); !errors.Is(err, stopped) {
		t.Errorf("got %v, want the cause of the cancellation", err)
	}
}

func TestAliasSourceIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := plan.Make(t.Context(), plan.Input{
			Task: []byte("version: v1.1.0\nalias:\n  src: [a]\n" + aTask),
			Aliases: fetch(func(ctx context.Context, _ string) ([]byte, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}),
		})
		wantError(t, err, drydock.Invalid, "no answer within 2s")
		if d := time.Since(start); d != 2*time.Second {
			t.Errorf("it took %s", d)
		}
	})
}

// resolve is a SecretResolver.
type resolve func(ctx context.Context, s drydock.Secret) (string, error)

func (f resolve) Resolve(ctx context.Context, s drydock.Secret) (string, error) { return f(ctx, s) }

func taskWithSecrets(n int) []byte {
	var b strings.Builder
	b.WriteString("secrets:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {id: s%d, keyvault: https://v/s%d}\n", i, i)
	}
	return []byte(b.String() + aTask)
}

// TestSecretsInBatches holds that five secrets are read at once, and the next
// five when all of them are there.
func TestSecretsInBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		start := time.Now()
		p, err := plan.Make(t.Context(), plan.Input{
			Task: taskWithSecrets(12),
			Secrets: resolve(func(_ context.Context, s drydock.Secret) (string, error) {
				mu.Lock()
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second)
				mu.Lock()
				running--
				mu.Unlock()
				return "value of " + s.ID, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); most != 5 || d != 3*time.Second {
			t.Errorf("%d at once, %s in all; want 5 at once in 3 batches", most, d)
		}
		if len(p.SecretValues) != 12 || p.SecretValues[11] != "value of s11" {
			t.Errorf("secret values: %q", p.SecretValues)
		}
	})
}

func TestSecretsFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in := plan.Input{File: "f.yaml", Task: taskWithSecrets(3)}
		in.Secrets = resolve(func(ctx context.Context, s drydock.Secret) (string, error) {
			if s.ID != "s1" {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "", errors.New("the vault is sealed")
		})
		_, err := plan.Make(t.Context(), in)
		wantError(t, err, drydock.Unavailable, "f.yaml:3:5: reading the secret \"s1\": the vault is sealed")

		in.Secrets = resolve(func(ctx context.Context, _ drydock.Secret) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		})
		in.Task = taskWithSecrets(1)
		_, err = plan.Make(t.Context(), in)
		wantError(t, err, drydock.Unavailable, "no answer within 2m0s")
	})
}

// TestTemplateEndsWithItsContext holds that a template stops when it is not
// wanted any more.
func TestTemplateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := plan.Make(ctx, plan.Input{Task: []byte("steps: {{ range 1000 }}{{ end }}\n")})
	wantError(t, err, drydock.Canceled, "rendering the template")
}

// TestSecretsInErrors holds that neither an error nor what it wraps has a
// secret in it, also where one is part of another or has several lines.
func TestSecretsInErrors(t *testing.T) {
	t.Parallel()
	_, err := plan.Make(t.Context(), plan.Input{
		Task:      []byte("steps:\n  - cmd: busybox {{ fail (cat .Values.long .Values.lines) }}\n"),
		SecretSet: []string{"short=hunter", "long=hunterQQ", "lines=first\nsecond line"},
	})
	wantError(t, err, drydock.Invalid, "error calling fail: *** ***")
	for e := err; e != nil; e = errors.Unwrap(e) {
		for _, secret := range []string{"hunter", "QQ", "first", "second"} {
			if strings.Contains(e.Error(), secret) {
				t.Errorf("%q is in %q", secret, e)
			}
		}
	}
}

// TestInputIsNotChanged holds that planning and rendering leave what they get.
func TestInputIsNotChanged(t *testing.T) {
	t.Parallel()
	in := plan.Input{
		Task:      []byte("version: v1.1.0\r\nalias:\r\n  values: {a: b}\r\nsteps:\r\n  - cmd: $a\r\n"),
		Set:       []string{"a=b"},
		SecretSet: []string{"a=b", "c=d"},
	}
	before := fmt.Sprintf("%q", in)
	if _, err := plan.Make(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Render(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprintf("%q", in); after != before {
		t.Errorf("the input was %s\nand is %s", before, after)
	}
}

func TestRenderAsksNoVault(t *testing.T) {
	t.Parallel()
	out, err := plan.Render(t.Context(), plan.Input{
		Task: append(taskWithSecrets(1), "    user: {{.Secrets.s0}}\n"...),
		Secrets: resolve(func(context.Context, drydock.Secret) (string, error) {
			t.Error("the vault was asked")
			return "", nil
		}),
	})
	if err != nil || !strings.Contains(string(out), "user: '***'") {
		t.Errorf("%v\n%s", err, out)
	}
}
