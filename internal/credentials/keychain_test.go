package credentials_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
)

func TestHost(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                               "docker.io",
		"docker.io":                      "docker.io",
		"index.docker.io":                "docker.io",
		"registry-1.docker.io":           "docker.io",
		"registry-1.docker.io:443":       "docker.io",
		"https://index.docker.io/v1/":    "docker.io",
		"registry.hub.docker.com":        "docker.io",
		"MyReg.azurecr.io":               "myreg.azurecr.io",
		"https://myreg.azurecr.io/":      "myreg.azurecr.io",
		"http://localhost:5000/v2/":      "localhost:5000",
		"localhost:5000/team/app":        "localhost:5000",
		"https://user@r.io/v2":           "r.io",
		" r.io ":                         "r.io",
		"[::1]:5000":                     "[::1]:5000",
		"https://user:pw@localhost:5000": "localhost:5000",
	} {
		if got := credentials.Host(in); got != want {
			t.Errorf("Host(%q) = %q, want %q", in, got, want)
		}
	}
}

// lookup returns "user:secret" of a registry, "-" when there is no credential.
func lookup(t *testing.T, k credentials.Keychain, registry string) string {
	t.Helper()
	c, ok, err := k.Lookup(t.Context(), registry)
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		return "-"
	}
	return c.Username + ":" + c.Secret
}

type broken struct{}

func (broken) Lookup(context.Context, string) (credentials.Credential, bool, error) {
	return credentials.Credential{}, false, errors.New("broken")
}

func TestChain(t *testing.T) {
	t.Parallel()
	var logins credentials.Logins
	k := credentials.Chain(&logins, nil, credentials.Static("--credential",
		drydock.Credential{Registry: "https://R.io", Username: "first", Password: "1"},
		drydock.Credential{Registry: "r.io", Username: "second", Password: "2"},
		drydock.Credential{Registry: "index.docker.io", Username: "hub", Password: "3"}))
	for registry, want := range map[string]string{"r.io": "first:1", "docker.io": "hub:3", "other.io": "-", "r.io:443": "-"} {
		if got := lookup(t, k, registry); got != want {
			t.Errorf("%s: %s, want %s", registry, got, want)
		}
	}
	logins.Add("r.io", "run", "4")
	if got := lookup(t, k, "R.IO"); got != "run:4" {
		t.Errorf("after a login: %s", got)
	}
	if !logins.Remove("r.io") || logins.Remove("r.io") {
		t.Error("Remove does not know what was there")
	}
	if got := lookup(t, k, "r.io"); got != "first:1" {
		t.Errorf("after a logout: %s", got)
	}
	if _, _, err := credentials.Chain(broken{}, k).Lookup(t.Context(), "r.io"); err == nil {
		t.Error("an error of a stronger keychain is ignored")
	}
}

func TestCredentialHidesItsSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []credentials.Credential{{Username: "u", Secret: "hush", From: "f"}, {Secret: "hush"}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			if text := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, []any{&c, c}); strings.Contains(text, "hush") || strings.Contains(text, "68757368") {
				t.Errorf("%s prints the secret: %s", verb, text)
			}
		}
	}
}

func TestConfigJSON(t *testing.T) {
	t.Parallel()
	data, err := credentials.ConfigJSON(
		drydock.Credential{Registry: "docker.io", Username: "hub", Password: "p:w"},
		drydock.Credential{Registry: "r.io", Username: "u", Password: "strong"},
		drydock.Credential{Registry: "https://r.io", Username: "u", Password: "weak"},
		drydock.Credential{Registry: "t.io", Password: "token"})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]map[string]string
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]map[string]string{"auths": {
		"https://index.docker.io/v1/": {"auth": "aHViOnA6dw=="},
		"r.io":                        {"auth": "dTpzdHJvbmc="},
		"t.io":                        {"identitytoken": "token"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoginsAll(t *testing.T) {
	t.Parallel()
	var l credentials.Logins
	l.Add("b.io", "u", "1")
	l.Add("https://a.io/v2/", "u", "2")
	want := []drydock.Credential{{Registry: "a.io", Username: "u", Password: "2"}, {Registry: "b.io", Username: "u", Password: "1"}}
	if diff := cmp.Diff(want, l.All()); diff != "" {
		t.Error(diff)
	}
}
