package buildkit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// executed is what ran writes when it is executed, which the progress of a
// cached RUN does not show.
const (
	ran      = `echo executed-$((1+1))`
	executed = "executed-2"
)

func TestBuildFlags(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	files := `
-- Dockerfile --
ARG VERSION=1
FROM ` + base + ` AS one
ARG VERSION FROM_ENV UNSET=default
RUN echo "$VERSION $FROM_ENV $UNSET" > /args
FROM one AS two
RUN echo two > /two
-- other/My Dockerfile --
FROM ` + base + `
COPY file /copied
-- context dir/file --
content
-- nothing/file --
-- secret.txt --
from a file
-- Dockerfile.secret --
FROM ` + base + `
RUN --mount=type=secret,id=file cat /run/secrets/file > /file
RUN --mount=type=secret,id=env,env=VALUE echo "$VALUE" > /env
RUN --mount=type=secret,id=NAMED cat /run/secrets/NAMED > /named
-- Dockerfile.net --
FROM ` + base + `
RUN (ip link; ip addr) > /net; cat /etc/hosts > /seen-hosts
-- Dockerfile.limits --
FROM ` + base + `
RUN ulimit -n > /nofile; df -k /dev/shm | tail -1 | awk '{print $2}' > /shm; \
    (cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max) > /memory
-- Dockerfile.named --
FROM ` + base + `
COPY --from=extra file /extra
COPY --from=image /bin/busybox /image
`
	r := openRun(t, e, files)
	r.env = []string{"FROM_ENV=env value", "SECRET_ENV=s3cret", "NAMED=by name", "PATH=/bin"}
	cat := func(t *testing.T, image, file, want string) {
		t.Helper()
		wantEqual(t, file, strings.TrimSpace(r.run(image, "cat "+file)), want)
	}
	for name, check := range map[string]func(t *testing.T){
		"many tags": func(t *testing.T) {
			r.build("-t", "tags/a", "--tag=tags/b:2", "-ttags/c", ".")
			for _, image := range []string{"tags/a", "tags/b:2", "tags/c:latest", "docker.io/tags/a"} {
				cat(t, image, "/two", "two")
			}
		},
		"build arguments": func(t *testing.T) {
			out := r.build("-t", "args", "--build-arg", "VERSION=2", "--build-arg=FROM_ENV", "--build-arg=UNSET", "--build-arg", "UNUSED=x", ".")
			cat(t, "args", "/args", "2 env value default")
			wantContains(t, "the progress", out, "[Warning] One or more build-args [UNUSED] were not consumed")
			if out := r.build("--build-arg=VERSION=3", "."); strings.Contains(out, "Warning") {
				t.Errorf("a warning without reason:\n%s", out)
			}
		},
		"target": func(t *testing.T) {
			r.build("--target", "one", "-t", "target", ".")
			cat(t, "target", "/args", "1  default")
			wantEqual(t, "/two", strings.TrimSpace(r.run("target", "ls /two 2>/dev/null || echo none")), "none")
		},
		"Dockerfile and context with a space": func(t *testing.T) {
			r.build("-f", "other/My Dockerfile", "-t", "space", "context dir")
			cat(t, "space", "/copied", "content")
		},
		"labels": func(t *testing.T) {
			r.build("-t", "labels", "--label", "a=1", "--label=b=x y", ".")
			wantEqual(t, "labels", strings.TrimSpace(r.docker("inspect", "-f", "{{json .Config.Labels}}", "labels")), `{"a":"1","b":"x y"}`)
		},
		"secrets": func(t *testing.T) {
			r.build("-t", "secrets", "-f", "Dockerfile.secret", "--secret", "id=file,src=secret.txt", "--secret=id=env,env=SECRET_ENV", "--secret", "id=NAMED", "nothing")
			cat(t, "secrets", "/file", "from a file")
			cat(t, "secrets", "/env", "s3cret")
			cat(t, "secrets", "/named", "by name")
		},
		"missing secrets": func(t *testing.T) {
			wantError(t, r.buildError("--secret", "id=x,src=missing", "."), drydock.Failed, "missing")
			wantError(t, r.buildError("--secret", "id=x,env=MISSING", "."), drydock.Invalid, "MISSING")
			wantError(t, r.buildError("--secret", "id=x,src=../../etc/passwd", "."), drydock.Invalid, "outside the workspace")
		},
		"no network": func(t *testing.T) {
			r.build("-t", "nonet", "--network", "none", "-f", "Dockerfile.net", "nothing")
			if links := r.run("nonet", "cat /net"); strings.Contains(links, "eth0") || !strings.Contains(links, "lo") {
				t.Errorf("links are\n%s", links)
			}
			r.build("-t", "withnet", "--network=host", "--no-cache", "-f", "Dockerfile.net", "nothing")
			wantContains(t, "links", r.run("withnet", "cat /net"), "eth0")
		},
		"added hosts": func(t *testing.T) {
			r.build("-t", "hosts", "--add-host", "a.example:10.1.2.3", "--add-host=b.example=10.1.2.4", "-f", "Dockerfile.net", "nothing")
			wantContains(t, "/etc/hosts", r.run("hosts", "cat /seen-hosts"), "10.1.2.3\ta.example", "10.1.2.4\tb.example")
		},
		"limits": func(t *testing.T) {
			r.build("-t", "limits", "--ulimit", "nofile=77:99", "--shm-size", "16m", "-m", "200m", "--cpus=0.5", "--cpu-shares", "100",
				"--isolation=default", "-f", "Dockerfile.limits", "nothing")
			cat(t, "limits", "/nofile", "77")
			cat(t, "limits", "/shm", "16384")
			cat(t, "limits", "/memory", "209715200")
		},
		"named contexts": func(t *testing.T) {
			r.build("-t", "named", "-f", "Dockerfile.named", "--build-context", "extra=context dir", "--build-context=image=docker-image://"+base, "nothing")
			cat(t, "named", "/extra", "content")
			wantEqual(t, "/image", strings.TrimSpace(r.run("named", "test -x /image && echo there")), "there")
			wantError(t, r.buildError("--build-context", "x=oci-layout://y", "."), drydock.Invalid, "--build-context x", "docker-image://IMAGE")
		},
		"errors": func(t *testing.T) {
			wantError(t, r.buildError("nowhere"), drydock.Invalid, `"nowhere"`, "workspace")
			wantError(t, r.buildError(".."), drydock.Invalid, "outside the workspace")
			wantError(t, r.buildError("-f", "nowhere", "."), drydock.Failed, "nowhere", "-f names the Dockerfile")
			wantError(t, r.buildError("--target", "three", "."), drydock.Failed, "three")
			wantError(t, r.buildError("--platform", "linux/amd64/x/y/z", "."), drydock.Invalid, "platform")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t)
		})
	}
}

func TestBuildNoCache(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	r := openRun(t, e, `
-- Dockerfile --
FROM `+base+` AS one
RUN `+ran+` # one
FROM one AS two
RUN `+ran+` # two
`)
	count := func(args ...string) int {
		t.Helper()
		return strings.Count(r.build(args...), executed)
	}
	for _, step := range []struct {
		args []string
		want int
	}{
		{[]string{"."}, 2},
		{[]string{"."}, 0},
		{[]string{"--no-cache", "."}, 2},
		{[]string{"--no-cache-filter", "two", "."}, 1},
		{[]string{"--no-cache-filter=one", "."}, 2},
		{[]string{"--pull", "."}, 0},
	} {
		if got := count(step.args...); got != step.want {
			t.Errorf("build %q executed %d RUNs, want %d", step.args, got, step.want)
		}
	}
}

func TestCancelBuild(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM "+base+"\nRUN echo sleeping-$((1+1)); sleep 1000\n")
	ctx, cancel := context.WithCancel(t.Context())
	flags, err := buildflags.Parse([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	out := &signal{text: "sleeping-2", seen: cancel}
	go func() { done <- r.Build(ctx, engine.Build{Flags: flags, Dir: "/workspace", Out: out}) }()
	<-ctx.Done()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error is %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the build goes on after its context ended")
	}
}

// signal is a writer that says when it has got a text.
type signal struct {
	output
	text string
	seen func()
}

func (s *signal) Write(p []byte) (int, error) {
	n, err := s.output.Write(p)
	if strings.Contains(s.String(), s.text) {
		s.seen()
	}
	return n, err
}
