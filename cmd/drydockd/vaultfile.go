package main

import (
	"context"
	"net/url"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/runner"
)

// vaultFile answers for every key vault with the values of one file: a map from
// the URL of a secret to its value.
type vaultFile struct {
	name   string // empty for none
	values map[string]string
}

// openVaultFile reads the file of --vault; without a name it returns one that
// has no values.
func openVaultFile(name string) (*vaultFile, error) {
	if name == "" {
		return &vaultFile{}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "opening the file of --vault: %w", err)
	}
	defer f.Close()
	b, err := runner.ReadFile(name, f)
	if err != nil {
		return nil, err
	}
	// The parser's own errors quote what it read, which may be a secret.
	var values map[string]string
	if yaml.Unmarshal(b, &values) != nil {
		return nil, drydock.Errorf(drydock.Invalid, "%s is not a YAML map of secret URLs to their values", name)
	}
	v := &vaultFile{name: name, values: make(map[string]string, len(values))}
	for u, value := range values {
		v.values[secretURL(u)] = value
	}
	return v, nil
}

var (
	_ plan.SecretResolver = (*vaultFile)(nil)
	_ credentials.Vault   = (*vaultFile)(nil)
)

// Resolve implements plan.SecretResolver.
func (v *vaultFile) Resolve(ctx context.Context, s drydock.Secret) (string, error) {
	return v.Secret(ctx, s.KeyVault, s.ClientID)
}

// Secret implements credentials.Vault. Every identity may read the file.
func (v *vaultFile) Secret(_ context.Context, u, _ string) (string, error) {
	value, ok := v.values[secretURL(u)]
	switch {
	case ok:
		return value, nil
	case v.name == "":
		return "", drydock.Errorf(drydock.Invalid, "%s is in a key vault, and none is within reach here", u).
			WithHint("give its value in a file with --vault")
	default:
		return "", drydock.Errorf(drydock.Invalid, "%s has no value for %s", v.name, u)
	}
}

// secretURL returns the form in which URLs of secrets are compared: host names
// have no case, and people end URLs with a slash or not.
func secretURL(s string) string {
	s = strings.TrimSuffix(strings.TrimSpace(s), "/")
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	return u.String()
}
