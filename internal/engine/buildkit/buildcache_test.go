package buildkit_test

import (
	"os"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// counted builds and returns how many RUNs were executed.
func (r *testRun) counted(args ...string) int {
	r.t.Helper()
	return strings.Count(r.build(args...), executed)
}

func TestSecondRun(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	root, err := os.MkdirTemp("", "drydock-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	files := `
-- Dockerfile --
FROM ` + base + ` AS build
RUN ` + ran + ` # first
COPY early /early
RUN ` + ran + ` # after early
COPY late /late
RUN ` + ran + ` # after late
FROM ` + base + `
COPY --from=build /late /late
-- early --
1
-- late --
1
-- again/Dockerfile --
FROM built
RUN ` + ran + ` # upon an image of the run
`
	changed := strings.Replace(files, "-- late --\n1", "-- late --\n2", 1)
	build := func(e *buildkit.Executor, files string) int {
		t.Helper()
		r := openRun(t, e, files)
		defer r.close()
		n := r.counted("-t", "built", ".")
		n += r.counted("again")
		return n
	}
	e, err := buildkit.New(t.Context(), buildkit.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	if got := build(e, files); got != 4 {
		t.Errorf("the first run executed %d RUNs, want 4", got)
	}
	if got := build(e, files); got != 0 {
		t.Errorf("the second run executed %d RUNs, want none", got)
	}
	if got := build(e, changed); got != 2 {
		t.Errorf("after the late file changed, %d RUNs were executed, want 2", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err = buildkit.New(t.Context(), buildkit.Config{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	if got := build(e, files); got != 0 {
		t.Errorf("a new executor on the same folder executed %d RUNs, want none", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMounts(t *testing.T) {
	t.Parallel()
	base := newRegistry(t, registry.Options{}, "busybox").Host + "/busybox"
	e := newExecutor(t, buildkit.Config{})
	files := `
-- Dockerfile --
FROM ` + base + `
RUN --mount=type=cache,target=/cache --mount=type=bind,target=/context \
    cat /cache/* > /found 2>/dev/null; cp /context/name /cache/$(cat /context/name); echo done >> /found
-- name --
`
	for _, step := range []struct {
		scope, task, name string
		untrusted         bool
		want              string
	}{
		{"", "one", "a", false, "done\n"},
		{"", "two", "b", false, "done\n"},
		{"", "one", "j", true, "done\n"},
		{"", "one", "c", false, "a\ndone\n"},
		{"", "", "d", false, "done\n"},
		{"", "", "k", true, "done\n"},
		{"", "", "e", false, "d\ndone\n"},
		{"x", "one", "f", false, "done\n"},
		{"x", "", "g", false, "done\n"},
		{"y", "one", "h", false, "done\n"},
		{"x", "one", "i", false, "f\ndone\n"},
	} {
		r := openRun(t, e, files+step.name+"\n", func(s *engine.RunSpec) {
			s.TaskName, s.CacheScope, s.Untrusted = step.task, step.scope, step.untrusted
		})
		// Nobody gets at the cache of another task by asking for it.
		r.build("-t", "mounts", "--build-arg", "BUILDKIT_CACHE_MOUNT_NS=task:one", ".")
		wantEqual(t, "what task "+step.task+" of "+step.scope+" finds in the cache", r.run("mounts", "cat /found"), step.want)
		r.close()
	}
}

func TestRegistryCache(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]registry.Options{
		"open":   {},
		"basic":  {Users: map[string]string{"u": "p"}},
		"tokens": {Users: map[string]string{"u": "p"}, Tokens: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bases := newPrivateRegistry(t, registry.Options{}, "busybox")
			base := bases.Host + "/busybox"
			reg := registry.Start(t, options)
			files := `
-- Dockerfile --
FROM ` + base + ` AS build
RUN ` + ran + ` # build
RUN echo built > /built
FROM ` + base + `
COPY --from=build /built /built
RUN ` + ran + ` # final
`
			// Each executor has a cache of its own, as the machines of a cloud do.
			build := func(task bool, flags ...string) int {
				t.Helper()
				r := openRun(t, newExecutor(t, buildkit.Config{}), files, withLogin(reg, "u", "p"), withLogin(bases, "u", "p"), func(s *engine.RunSpec) { s.TaskName = "nightly" })
				defer r.close()
				r.task = task
				n := r.counted(append(flags, "-t", reg.Host+"/app:1", ".")...)
				r.run(reg.Host+"/app:1", "cat /built") // it is here for the next step
				r.push(reg.Host + "/app:1")
				return n
			}
			ref := reg.Host + "/caches:app"
			for _, step := range []struct {
				what  string
				task  bool
				flags []string
				want  int
			}{
				{"no cache yet", false, []string{"--cache-from", ref, "--cache-to", "type=registry,ref=" + ref + ",mode=max"}, 2},
				{"mode=max", false, []string{"--cache-from", "type=registry,ref=" + ref}, 0},
				{"inline, to", false, []string{"--cache-to=type=inline"}, 2},
				{"inline, from", false, []string{"--cache-from=" + reg.Host + "/app:1"}, 0},
				{"cache: enabled, first", true, nil, 2},
				{"cache: enabled, second", true, nil, 0},
			} {
				if got := build(step.task, step.flags...); got != step.want {
					t.Errorf("%s: executed %d RUNs, want %d", step.what, got, step.want)
				}
			}
			tags, err := reg.Tags("app")
			if err != nil {
				t.Fatal(err)
			}
			wantEqual(t, "tags", strings.Join(tags, " "), "1 cache_nightly_step1")
		})
	}
}

func TestCacheErrors(t *testing.T) {
	t.Parallel()
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM scratch\nCOPY Dockerfile /\n")
	wantError(t, r.buildError("--cache-from", "type=gha", "."), drydock.Invalid, "--cache-from type=gha")
	wantError(t, r.buildError("--cache-to", "type=local,dest=x", "."), drydock.Invalid, "--cache-to type=local")
	// How BuildKit is told of Azure's own registries is nothing for tasks to say.
	smuggled := "type=registry,ref=contoso.azurecr.io.real.drydock.internal/x"
	wantError(t, r.buildError("--cache-to", smuggled, "."), drydock.Invalid, "the host is not one of a registry")
	if got := r.build("--cache-from", smuggled, "."); !strings.Contains(got, "ERROR: failed to configure registry cache importer: cache contoso.azurecr.io/x: the host is not one") {
		t.Errorf("the log says nothing of the cache that is refused:\n%s", got)
	}
	r.task = true
	if got := strings.Count(r.build("-t", "app", "."), "cache: enabled has no effect"); got != 1 {
		t.Errorf("the log says %d times that there is no registry for the cache", got)
	}
	// A cache that can't be read is no reason to fail, as with docker.
	r.task = false
	r.build("--cache-from", "127.0.0.1:1/nowhere", ".")
}
