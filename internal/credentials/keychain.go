package credentials

import (
	"context"
	"fmt"

	"github.com/drydockhq/drydock"
)

// Credential is what a registry accepts. It prints without its secret.
type Credential struct {
	// Username is empty when Secret is an identity token: an OAuth2 refresh
	// token, to be exchanged at the registry's token endpoint.
	Username string
	Secret   string
	From     string // where it was found, for messages: "docker login", a file
}

// Format prints the credential without its secret, whatever the verb.
func (c Credential) Format(f fmt.State, _ rune) {
	user := c.Username
	if user == "" {
		user = "identity token"
	}
	_, _ = fmt.Fprintf(f, "%s (from %s)", user, c.From)
}

// Keychain knows credentials. Its methods may be called from several goroutines.
type Keychain interface {
	// Lookup returns the credential for a registry, whose name is normalised by
	// Host, and whether there is one. An error means that it could not be found
	// out; the text holds no secret.
	Lookup(ctx context.Context, registry string) (Credential, bool, error)
}

// Chain returns a keychain that asks others in turn, the strongest first. The
// first that has a credential, or an error, decides.
func Chain(keychains ...Keychain) Keychain { return chain(keychains) }

type chain []Keychain

func (c chain) Lookup(ctx context.Context, registry string) (Credential, bool, error) {
	for _, k := range c {
		if k == nil {
			continue
		}
		if cred, ok, err := k.Lookup(ctx, registry); ok || err != nil {
			return cred, ok, err
		}
	}
	return Credential{}, false, nil
}

// Static returns a keychain of the given credentials, the first for a registry
// being the strongest. from says where they come from.
func Static(from string, creds ...drydock.Credential) Keychain {
	s := static{}
	for _, c := range creds {
		host := Host(c.Registry)
		if _, ok := s[host]; !ok {
			s[host] = Credential{Username: c.Username, Secret: c.Password, From: from}
		}
	}
	return s
}

type static map[string]Credential

func (s static) Lookup(_ context.Context, registry string) (Credential, bool, error) {
	c, ok := s[Host(registry)]
	return c, ok, nil
}
