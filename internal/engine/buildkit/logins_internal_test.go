package buildkit

import (
	"context"
	"testing"

	"github.com/drydockhq/drydock"
)

type keychain map[string]string

func (k keychain) Lookup(_ context.Context, host string) (user, secret string, err error) {
	if secret, ok := k[host]; ok {
		return "keychain", secret, nil
	}
	return "", "", nil
}

func TestLogins(t *testing.T) {
	t.Parallel()
	l := &logins{
		opened: []drydock.Credential{
			{Registry: "registry.example", Username: "first"},
			{Registry: "registry.example", Username: "second"},
			{Registry: "index.docker.io", Username: "hub"},
		},
		keychain: keychain{"kept.example": "p", "registry.example": "p"},
	}
	want := func(host, user string) {
		t.Helper()
		got, _, err := l.Lookup(t.Context(), host)
		if err != nil || got != user {
			t.Errorf("the user for %s is %q, %v, want %q", host, got, err, user)
		}
	}
	want("registry.example", "first")
	want("kept.example", "keychain")
	want("other.example", "")
	for _, hub := range []string{"docker.io", "index.docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"} {
		want(hub, "hub")
	}
	l.add(drydock.Credential{Registry: "registry.example", Username: "login"})
	l.add(drydock.Credential{Registry: "docker.io", Username: "hub login"})
	want("registry.example", "login")
	want("registry-1.docker.io", "hub login")
	if !l.remove("registry.example") || l.remove("registry.example") {
		t.Error("a login was not removed once")
	}
	want("registry.example", "first")
}
