package buildkit

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Steps see no login of the run as the run itself has it: one that can't be
// confined is not written down, nor another in its place.
func TestLoginsThatCannotBeConfined(t *testing.T) {
	t.Parallel()
	trouble := map[string]error{}
	change := func(mark string) func(context.Context, drydock.Credential) (drydock.Credential, error) {
		return func(_ context.Context, c drydock.Credential) (drydock.Credential, error) {
			c.Password += mark
			return c, trouble[c.Registry]
		}
	}
	home := t.TempDir()
	var secrets []string
	s := &session{ctx: t.Context(), workspace: &workspace{home: home}, logins: &logins{
		opened: []drydock.Credential{
			{Registry: "here.test", Username: "u", Password: "one"},
			{Registry: "gone.test", Username: "u", Password: "two"},
			{Registry: "gone.test", Username: "u", Password: "three"},
		}, vouch: change(" vouched"),
	}, spec: engine.RunSpec{Hosts: &drydock.RunHosts{Confine: change(" confined")}, Secret: func(texts ...string) { secrets = append(secrets, texts...) }}}
	lookup := func(host string) (string, error) {
		_, secret, err := s.logins.Lookup(t.Context(), host)
		return secret, err
	}

	trouble["gone.test"] = drydock.Errorf(drydock.NotFound, "there is none")
	if err := s.writeLogins(); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"here.test": "u:one confined"}
	if got := readLogins(t, home); !maps.Equal(got, want) || !slices.Equal(secrets, []string{"one confined"}) {
		t.Errorf("steps see %q, want %q; the secrets are %q", got, want, secrets)
	}
	if secret, err := lookup("gone.test"); err != nil || secret != "two" {
		t.Errorf("the run signs in to what is gone with %q: %v", secret, err)
	}

	trouble["here.test"] = errors.New("the store is busy")
	if err := s.writeLogins(); !errors.Is(err, trouble["here.test"]) {
		t.Errorf("writing logins that can't be confined: %v", err)
	}
	if got := readLogins(t, home); !maps.Equal(got, want) {
		t.Errorf("steps see %q, want %q", got, want)
	}
	if secret, err := lookup("here.test"); !errors.Is(err, trouble["here.test"]) || secret != "" {
		t.Errorf("the run signs in with %q: %v", secret, err)
	}
}

// readLogins returns the logins in a home folder.
func readLogins(t *testing.T, home string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(home, ".docker/config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config dockerConfig
	if err := json.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for host, a := range config.Auths {
		login, err := base64.StdEncoding.DecodeString(a.Auth)
		if err != nil {
			t.Fatal(err)
		}
		found[host] = string(login)
	}
	return found
}
