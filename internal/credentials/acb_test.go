package credentials_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
)

type vault map[string]string

func (v vault) Secret(_ context.Context, url, identity string) (string, error) {
	if s, ok := v[url+" "+identity]; ok {
		return s, nil
	}
	return "", drydock.Errorf(drydock.Denied, "no access")
}

func TestParse(t *testing.T) {
	t.Parallel()
	v := vault{"https://v/secrets/u me": "vu", "https://v/secrets/p me": "vp"}
	for text, want := range map[string]drydock.Credential{
		`{"registry":"r.io","username":"u","userNameProviderType":"opaque","password":"p","passwordProviderType":"opaque"}`:                                                               {Registry: "r.io", Username: "u", Password: "p"},
		`{"registry":"https://R.io/","username":"u","userNameProviderType":"Opaque","password":"p","passwordProviderType":"OPAQUE","identity":"x","more":1}`:                              {Registry: "r.io", Username: "u", Password: "p"},
		`{"registry":"r.io","username":"https://v/secrets/u","userNameProviderType":"vaultsecret","password":"https://v/secrets/p","passwordProviderType":"VaultSecret","identity":"me"}`: {Registry: "r.io", Username: "vu", Password: "vp"},
		`{"registry":"r.io","username":"u","userNameProviderType":"opaque","password":"https://v/secrets/p","passwordProviderType":"vaultsecret","identity":"me"}`:                        {Registry: "r.io", Username: "u", Password: "vp"},
	} {
		got, err := credentials.Parse(t.Context(), text, v)
		if err != nil || got != want {
			t.Errorf("%s\ngave %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	both := `"userNameProviderType":"opaque","passwordProviderType":"opaque"`
	for _, c := range []struct{ text, want string }{
		{``, "is not valid JSON at byte 0"},
		{`hush`, "is not valid JSON at byte 1"},
		{`{"registry":"r.io","password":hush}`, "is not valid JSON at byte 31"},
		{`{"registry":"r.io","password":"hush"} x`, "is not valid JSON"},
		{`"hush"`, "is not a JSON object"},
		{`{"registry":"r.io","password":12345678}`, `has a "password" that is not of type string`},
		{`{"username":"u","password":"hush",` + both + `}`, "has no registry"},
		{`{"registry":"r.io","password":"hush",` + both + `}`, "registry r.io has no username"},
		{`{"registry":"r.io","username":"u",` + both + `}`, "has no password"},
		{`{"registry":"r.io","username":"a:b","password":"hush",` + both + `}`, "username with a colon"},
		{`{"registry":"r.io","username":"u","password":"hush"}`, "needs userNameProviderType"},
		{`{"registry":"r.io","username":"u","password":"hush","userNameProviderType":"opaque"}`, `provider types "opaque" and ""`},
		{`{"registry":"r.io","username":"u","password":"hush","userNameProviderType":"plain","passwordProviderType":"opaque"}`, `provider types "plain"`},
		{`{"registry":"r.io","username":"u","password":"hush","userNameProviderType":"opaque","passwordProviderType":"vaultsecret"}`, "names no identity"},
		{`{"registry":"r.io","username":"u","password":"hush","userNameProviderType":"opaque","passwordProviderType":"vaultsecret","identity":"me"}`, "is in a key vault"},
		{`{"registry":"r.io","identity":"me","aadResourceId":"x"}`, "logs in as a managed identity"},
	} {
		_, err := credentials.Parse(t.Context(), c.text, nil)
		var user *drydock.Error
		switch {
		case !errors.As(err, &user):
			t.Errorf("%s: %v", c.text, err)
		case !strings.Contains(err.Error(), c.want):
			t.Errorf("%s: %q, want %q", c.text, err, c.want)
		case strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "12345678"):
			t.Errorf("%s: the error shows the password: %v", c.text, err)
		}
	}
}

func TestParseVaultFails(t *testing.T) {
	t.Parallel()
	_, err := credentials.Parse(t.Context(), `{"registry":"r.io","username":"u","password":"https://v/s","userNameProviderType":"opaque","passwordProviderType":"vaultsecret","identity":"me"}`, vault{})
	if drydock.CodeOf(err) != drydock.Denied || !strings.Contains(err.Error(), "reading the password of registry r.io from the vault: no access") {
		t.Errorf("got %v", err)
	}
}

// FuzzParse puts a password into any surroundings: no error may show it.
func FuzzParse(f *testing.F) {
	f.Add(`{"registry":"r.io","username":"u",`, `,"userNameProviderType":"opaque","passwordProviderType":"opaque"}`)
	f.Add(`{"registry":"r.io",`, `,"userNameProviderType":"plain"}`)
	f.Add(`{`, `]`)
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "5ecret-of-a-test"
		c, err := credentials.Parse(t.Context(), before+`"password":"`+secret+`"`+after, nil)
		var user *drydock.Error
		switch {
		case err == nil && (c.Registry == "" || c.Username == "" || c.Password == ""):
			t.Errorf("accepted %+v", c)
		case err != nil && (!errors.As(err, &user) || strings.Contains(err.Error(), secret)):
			t.Errorf("got %v", err)
		}
	})
}
