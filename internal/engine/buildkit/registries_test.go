package buildkit_test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// mirror makes address answer for a registry.
func mirror(host, address string) buildkit.Registries {
	u, err := url.Parse(address)
	if err != nil {
		panic(err)
	}
	return buildkit.Registries{Mirrors: map[string][]*url.URL{host: {u}}}
}

func TestMirrors(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox=library/mirrored:1", "busybox=acr/acr-cli:0.1", "busybox=hub/library/deep:1")
	real := newRegistry(t, registry.Options{}, "busybox=only/here:1", "busybox=app:1")
	private := newPrivateRegistry(t, registry.Options{Tokens: true}, "busybox=behind/login:1")
	address := func(s string) []*url.URL {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return []*url.URL{u}
	}
	e := newExecutor(t, buildkit.Config{Registries: buildkit.Registries{Mirrors: map[string][]*url.URL{
		"docker.io":         append(address("http://127.0.0.1:1"), address(reg.URL)...), // the first one is down
		"mcr.microsoft.com": address(reg.URL),
		"deep.example":      address(reg.URL + "/hub"),
		"login.example":     address(private.URL),
		real.Host:           address(reg.URL),
	}}})
	r := openRun(t, e, `
-- Dockerfile --
FROM mirrored:1
COPY --from=mcr.microsoft.com/acr/acr-cli:0.1 /bin /bin2
COPY --from=deep.example/library/deep:1 /bin /bin3
COPY --from=login.example/behind/login:1 /bin /bin4
COPY --from=`+real.Host+`/only/here:1 /bin /bin5
`, withLogin(private, "u", "p"))
	r.build("-t", real.Host+"/app:2", ".")
	wantEqual(t, "base", r.Dependencies()[0].Runtime.Repository, "library/mirrored")
	wantContains(t, "buildtime images", references(r.Dependencies()[0].Buildtime), "mcr.microsoft.com/acr/acr-cli:0.1", "deep.example/library/deep:1", "login.example/behind/login:1")
	r.docker("pull", "mirrored:1")
	r.run("docker.io/library/mirrored:1", "true")
	r.push(real.Host + "/app:2")
	if tags, err := real.Tags("app"); err != nil || strings.Join(tags, " ") != "1 2" {
		t.Errorf("tags are %q, %v: a push goes to the registry, not to its mirror", tags, err)
	}
}

func TestRegistryErrors(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox", "multi")
	limited := newRegistry(t, registry.Options{}, "busybox")
	limited.Inject(registry.Fault{Match: registry.On("", registry.KindManifest), Status: http.StatusTooManyRequests})
	broken := newRegistry(t, registry.Options{}, "busybox")
	broken.Inject(registry.Fault{Match: registry.On("", registry.KindManifest), Status: http.StatusInternalServerError})
	private := newPrivateRegistry(t, registry.Options{}, "busybox")
	tokens := newPrivateRegistry(t, registry.Options{Tokens: true}, "busybox")
	e := newExecutor(t, buildkit.Config{})
	for name, test := range map[string]struct {
		image string
		code  drydock.Code
		parts []string
	}{
		"unknown tag":        {reg.Host + "/busybox:nowhere", drydock.Failed, []string{"not found", "check the image's name and tag"}},
		"unknown repository": {reg.Host + "/nowhere:1", drydock.Failed, []string{"not found", "check the image's name and tag"}},
		"unknown digest":     {reg.Host + "/busybox@sha256:" + strings.Repeat("0", 64), drydock.Failed, []string{"not found"}},
		"basic":              {private.Host + "/busybox", drydock.Denied, []string{"credentials for " + private.Host}},
		"tokens":             {tokens.Host + "/busybox", drydock.Denied, []string{"credentials for " + tokens.Host}},
		"unreachable":        {"127.0.0.1:1/busybox", drydock.Unavailable, []string{"connection refused", "is 127.0.0.1:1 reachable"}},
		"no such host":       {"nowhere.invalid/busybox", drydock.Unavailable, []string{"nowhere.invalid", "--mirror"}},
		"limited":            {limited.Host + "/busybox", drydock.Unavailable, []string{"limits requests", "--mirror"}},
		"broken":             {broken.Host + "/busybox", drydock.Unavailable, []string{"500"}},
		"no image name":      {"UPPER/Case:x", drydock.Invalid, []string{"UPPER/Case:x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRun(t, e, "-- Dockerfile --\nARG IMAGE\nFROM $IMAGE\n")
			_, err := r.tryRun(test.image, "true")
			wantError(t, err, test.code, append(test.parts, test.image)...)
			if test.code == drydock.Invalid {
				r.buildError("--build-arg", "IMAGE="+test.image, ".")
				return
			}
			err = r.buildError("--build-arg", "IMAGE="+test.image, ".")
			wantError(t, err, test.code, append(test.parts, test.image, "Dockerfile:2")...)
			_, stderr, err := r.tryDocker(nil, "pull", test.image)
			if err == nil {
				t.Error("docker pull succeeded")
			}
			wantContains(t, "docker's message", stderr, test.image)
		})
	}
}

// A registry on loopback may have HTTPS: a CA for it says so.
func TestSecureLoopback(t *testing.T) {
	t.Parallel()
	reg := startTLS(t, "secure.example")
	for name, config := range map[string]buildkit.Registries{
		"CA":       {CAs: map[string][]byte{reg.Host: reg.CA}},
		"insecure": {Insecure: []string{reg.Host}},
	} {
		r := openRun(t, newExecutor(t, buildkit.Config{Registries: config}), "-- Dockerfile --\nFROM "+reg.Host+"/busybox\nRUN true\n")
		r.build("-t", reg.Host+"/"+strings.ToLower(name), ".")
		r.push(reg.Host + "/" + strings.ToLower(name))
	}
	r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM scratch\nCOPY Dockerfile /\n")
	r.build("-t", reg.Host+"/app", ".")
	_, err := r.Push(t.Context(), reg.Host+"/app", io.Discard)
	wantError(t, err, drydock.Unavailable, reg.Host+"/app", "--ca "+reg.Host+"=FILE", "--insecure-registry")
}

// A server's users have none of the flags of `drydockd exec`.
func TestAdvice(t *testing.T) {
	t.Parallel()
	reg := startTLS(t, "secure.example")
	private := newPrivateRegistry(t, registry.Options{}, "busybox")
	limited := newRegistry(t, registry.Options{}, "busybox")
	limited.Inject(registry.Fault{Match: registry.On("", registry.KindManifest), Status: http.StatusTooManyRequests})
	e := newExecutor(t, buildkit.Config{Advice: buildkit.Advice{
		Credentials: "KEYS for HOST", Mirror: "MIRRORS", CA: "CAS=HOST", Insecure: "PLAIN(HOST)", Privileged: "ALLOWED",
	}})
	r := openRun(t, e, "")
	for image, hint := range map[string]string{
		private.Host + "/busybox": "given with KEYS for " + private.Host,
		limited.Host + "/busybox": "a mirror with MIRRORS",
		"127.0.0.1:1/busybox":     "MIRRORS names a registry that answers for it",
		reg.Host + "/busybox":     "CAS=" + reg.Host + " names its certificate, and PLAIN(" + reg.Host + ") does without",
	} {
		_, err := r.tryRun(image, "true")
		wantError(t, err, drydock.CodeOf(err), hint)
		if strings.Contains(err.Error(), "--") {
			t.Errorf("it names a flag: %v", err)
		}
	}
	wantError(t, r.Run(t.Context(), engine.Container{Name: "c", Image: "busybox", Privileged: true}), drydock.Denied, "allow it with ALLOWED;")
	_, err := e.Digest(t.Context(), drydock.ImageName{Registry: private.Host, Repository: "busybox", Tag: "latest"}, nil)
	wantError(t, err, drydock.Denied, "given with KEYS for "+private.Host)
}

func TestHangingRegistry(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]registry.Kind{"manifest": registry.KindManifest, "blob": registry.KindBlob, "upload": registry.KindUpload} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			reg := newRegistry(t, registry.Options{}, "busybox")
			r := openRun(t, newExecutor(t, buildkit.Config{}), "-- Dockerfile --\nFROM "+reg.Host+"/busybox\nRUN true\n")
			if kind == registry.KindUpload {
				r.build("-t", reg.Host+"/app", ".")
			}
			reg.Inject(registry.Fault{Match: registry.On("", kind), Hang: true})
			for what, do := range map[string]func(ctx context.Context) error{
				"build": func(ctx context.Context) error { _, err := r.try(ctx, nil, "."); return err },
				"run": func(ctx context.Context) error {
					return r.Run(ctx, engine.Container{Name: "c", Image: reg.Host + "/busybox", Args: []string{"true"}, Network: drydock.DefaultNetwork, Stdout: io.Discard, Stderr: io.Discard})
				},
				"docker": func(ctx context.Context) error {
					return r.Docker(ctx, engine.DockerCommand{Args: []string{"pull", reg.Host + "/busybox"}, Stdout: io.Discard, Stderr: io.Discard})
				},
				"push": func(ctx context.Context) error { _, err := r.Push(ctx, reg.Host+"/app", io.Discard); return err },
			} {
				if (what == "push") != (kind == registry.KindUpload) || what == "docker" && kind == registry.KindBlob {
					continue
				}
				ctx, cancel := context.WithCancel(t.Context())
				before := len(reg.Requests())
				done := make(chan error, 1)
				go func() { done <- do(ctx) }()
				if err := reg.Wait(t.Context(), func(all []registry.Request) bool {
					return slices.ContainsFunc(all[before:], func(r registry.Request) bool { return r.Kind == kind })
				}); err != nil {
					t.Fatal(err)
				}
				cancel()
				select {
				case err := <-done:
					if err == nil {
						t.Errorf("%s succeeded", what)
					}
				case <-time.After(5 * time.Second):
					t.Fatalf("%s goes on after its context ended", what)
				}
			}
		})
	}
}
