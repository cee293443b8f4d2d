package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// OIDC is the provider of identities elsewhere that vouches for people; one
// without an issuer is none.
type OIDC struct {
	Issuer        string // URL, as the provider's tokens have it
	Name          string // shown to people
	ClientID      string
	ClientSecret  string
	Audiences     []string // of its tokens that are taken, beside those for ClientID
	UsernameClaim string
	GroupsClaim   string
	Scopes        []string // nil for the usual ones
	CA            []byte   // PEM; nil for those that the system trusts
}

// oidcSettings say who else may sign in.
func oidcSettings() []*Setting {
	text := func(field func(*Config) *string) func(*Config, []string) error {
		return one(func(c *Config, v string) error { *field(c) = v; return nil })
	}
	list := func(field func(*Config) *[]string) func(*Config, []string) error {
		return each(func(c *Config, v string) error { *field(c) = append(*field(c), v); return nil })
	}
	return []*Setting{
		{
			Name: "oidc.issuer", Value: "URL", Usage: "OpenID provider whose people may sign in, as Keycloak, Dex or Entra", set: one(setIssuer),
		},
		{Name: "oidc.name", Value: "NAME", Usage: "what people know the provider by (default: its host)", set: text(func(c *Config) *string { return &c.OIDC.Name })},
		{Name: "oidc.client-id", Value: "ID", Usage: "what the provider knows this server by", set: text(func(c *Config) *string { return &c.OIDC.ClientID })},
		{
			Name: "oidc.client-secret-file", Value: "FILE", Usage: "file with the secret that goes with it; none for a public client",
			set: one(setSecretFile(func(c *Config) *string { return &c.OIDC.ClientSecret })),
		},
		{
			Name: "oidc.audiences", Value: "NAME", List: true, Usage: "take tokens of the provider for NAME as bearer tokens, beside those for oidc.client-id",
			set: list(func(c *Config) *[]string { return &c.OIDC.Audiences }),
		},
		{
			Name: "oidc.username-claim", Value: "CLAIM", Usage: "claim with the name of a person (default: the first of preferred_username, email, upn)",
			set: text(func(c *Config) *string { return &c.OIDC.UsernameClaim }),
		},
		{
			Name: "oidc.groups-claim", Value: "CLAIM", Usage: "claim with the groups of a person", Default: []string{"groups"},
			set: text(func(c *Config) *string { return &c.OIDC.GroupsClaim }),
		},
		{
			Name: "oidc.scopes", Value: "SCOPE", List: true, Usage: "what the provider is asked for beside openid and profile", Default: []string{"email"},
			set: list(func(c *Config) *[]string { return &c.OIDC.Scopes }),
		},
		{Name: "oidc.ca", Value: "FILE", Usage: "trust these CA certificates for the provider, beside those of the system", set: one(setOIDCAuthority)},
	}
}

func setIssuer(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("it is not the https:// URL of a provider")
	}
	c.OIDC.Issuer = v
	return nil
}

func setSecretFile(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		text, err := os.ReadFile(v)
		if err != nil {
			return pathError(err)
		}
		if *field(c) = strings.TrimSpace(string(text)); *field(c) == "" {
			return fmt.Errorf("%s is empty", v)
		}
		return nil
	}
}

func setOIDCAuthority(c *Config, v string) error {
	var read Config
	if err := addCA(&read, v); err != nil {
		return err
	}
	for _, pem := range read.CAs {
		c.OIDC.CA = pem
	}
	return nil
}

// checkOIDC checks what the settings of the provider say together.
func (c *Config) checkOIDC() []string {
	o := c.OIDC
	switch {
	case o.Issuer != "" && o.ClientID == "" && len(o.Audiences) == 0:
		return []string{"oidc.issuer: oidc.client-id is needed too, or oidc.audiences where its tokens are only taken"}
	case o.Issuer == "" && (o.ClientID != "" || o.ClientSecret != "" || len(o.Audiences) > 0 || o.CA != nil):
		return []string{"oidc.issuer: it is needed for the other settings of the provider"}
	}
	return nil
}
