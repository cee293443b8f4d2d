package drydock_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestImageNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want, familiar string }{
		{"node", "docker.io/library/node:latest", "node:latest"},
		{"node:15-alpine", "docker.io/library/node:15-alpine", "node:15-alpine"},
		{"library/node", "docker.io/library/node:latest", "node:latest"},
		{"docker.io/node:15", "docker.io/library/node:15", "node:15"},
		{"docker.io/library/node:15", "docker.io/library/node:15", "node:15"},
		{"index.docker.io/node:15", "docker.io/library/node:15", "node:15"},
		{"registry-1.docker.io/library/node:15", "docker.io/library/node:15", "node:15"},
		{"registry.hub.docker.com/library/node:15", "docker.io/library/node:15", "node:15"},
		{"registry.hub.docker.com/node:15", "docker.io/library/node:15", "node:15"},
		{"Index.Docker.IO:443/node:15", "docker.io/library/node:15", "node:15"},
		{"bitnami/redis", "docker.io/bitnami/redis:latest", "bitnami/redis:latest"},
		{"docker.io/library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"},
		{"docker.io/localhost/x", "docker.io/localhost/x:latest", "docker.io/localhost/x:latest"},
		{"docker.io/a.b/x", "docker.io/a.b/x:latest", "docker.io/a.b/x:latest"},
		{"docker.io/localhost", "docker.io/library/localhost:latest", "localhost:latest"},
		{"localhost/x", "localhost/x:latest", "localhost/x:latest"},
		{"localhost:5000/a/b:1", "localhost:5000/a/b:1", "localhost:5000/a/b:1"},
		{"MCR.Microsoft.com/dotnet/sdk:9.0", "mcr.microsoft.com/dotnet/sdk:9.0", "mcr.microsoft.com/dotnet/sdk:9.0"},
		{"quay.io/x", "quay.io/x:latest", "quay.io/x:latest"},
		{"[::1]:5000/x:1", "[::1]:5000/x:1", "[::1]:5000/x:1"},
		{"node@" + someDigest, "docker.io/library/node@" + someDigest, "node@" + someDigest},
		{"quay.io/x:1@" + someDigest, "quay.io/x:1@" + someDigest, "quay.io/x:1@" + someDigest},
	} {
		got, err := drydock.ParseImageName(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got.String() != c.want || got.Familiar() != c.familiar {
			t.Errorf("%s: %s, short %s; want %s, short %s", c.in, got, got.Familiar(), c.want, c.familiar)
		}
		if got.Pinned() != strings.Contains(c.in, "@") {
			t.Errorf("%s: pinned %v", c.in, got.Pinned())
		}
	}
}

func TestNoImageNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		"", ":", "@", "/", "node:", "node@", "node:a b", "Node", "node@sha256:12", "node@" + someDigest[:70],
		"https://docker.io/node", "-a.example/x", "a..b/x", "quay.io/", "quay.io//x", "quay.io/X", "user@host/x",
		someDigest[len("sha256:"):], "x.example:port/y", strings.Repeat("a/", 200) + "a", "Upper/x", "$BASE", "${BASE}:1", "[::1/x",
	} {
		if n, err := drydock.ParseImageName(in); drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%q: %v, error %v", in, n, err)
		}
	}
}

// What builds report and what ACR's clients show is another spelling of the same
// name.
func TestReferencesAreNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"node:15", "quay.io/a/b:1", "localhost:5000/x:latest"} {
		n, err := drydock.ParseImageName(in)
		if err != nil {
			t.Fatal(err)
		}
		r := n.Reference()
		r.Digest = someDigest // as it was found
		if r.Reference != n.Familiar() {
			t.Errorf("%s: reference %s", in, r.Reference)
		}
		if again, err := r.Name(); err != nil || again != n {
			t.Errorf("%s: %v, error %v", in, again, err)
		}
	}
	hub := drydock.ImageName{Registry: drydock.DockerHub, Repository: "library/node", Digest: someDigest}
	r := hub.Reference()
	if r.Registry != "registry.hub.docker.com" || r.Repository != "library/node" || r.Reference != "node@"+someDigest {
		t.Errorf("%+v", r)
	}
	if n, err := r.Name(); err != nil || n != hub {
		t.Error(n, err)
	}
	if _, err := (drydock.ImageReference{Reference: "unknown"}).Name(); drydock.CodeOf(err) != drydock.Invalid {
		t.Error(err)
	}
}

func FuzzParseImageName(f *testing.F) {
	for _, seed := range []string{
		"node", "docker.io/library/node:15", "localhost:5000/a/b@" + someDigest, "registry.hub.docker.com/x", "A.B:443/c:d", "[::1]:5000/x", "docker.io/localhost/x", "docker.io/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := drydock.ParseImageName(s)
		if err != nil {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		for _, form := range []string{n.String(), n.Familiar()} {
			again, err := drydock.ParseImageName(form)
			if err != nil || again != n {
				t.Fatalf("%q is %#v; %q is %#v, error %v", s, n, form, again, err)
			}
		}
		if again, err := n.Reference().Name(); err != nil || n.Tag != "" && again != n.Tagged() {
			t.Fatalf("%q is %#v; its reference %#v, error %v", s, n, again, err)
		}
		if n.Registry != drydock.RegistryHost(n.Registry) || n.Registry != strings.ToLower(n.Registry) {
			t.Fatalf("%q: host %q", s, n.Registry)
		}
	})
}
