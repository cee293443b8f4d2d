package credentials

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// Vault reads secrets of a key vault.
type Vault interface {
	// Secret returns the value behind a secret's URL, read as the identity with
	// the given client id, or "system". Errors hold no secret.
	Secret(ctx context.Context, url, identity string) (string, error)
}

// registryCredential is the JSON of `acb exec --credential`.
type registryCredential struct {
	Registry      string `json:"registry"`
	Username      string `json:"username"`
	UsernameType  string `json:"userNameProviderType"`
	Password      string `json:"password"`
	PasswordType  string `json:"passwordProviderType"`
	Identity      string `json:"identity"`
	AADResourceID string `json:"aadResourceId"`
}

// The provider types, in lower case; acb takes them in any.
const (
	opaque      = "opaque"
	vaultSecret = "vaultsecret"
)

// Parse reads the JSON of a `--credential` flag, which has the form of `acb
// exec`, and resolves what it takes from a vault. Without a vault (nil), such
// credentials are refused. Errors are *drydock.Error and hold no secret.
func Parse(ctx context.Context, text string, vault Vault) (drydock.Credential, error) {
	var c registryCredential
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return drydock.Credential{}, invalid("the credential %s", jsonProblem(err)).
			WithHint(`write {"registry":"HOST","username":"NAME","userNameProviderType":"opaque","password":"…","passwordProviderType":"opaque"}`)
	}
	if err := c.validate(); err != nil {
		return drydock.Credential{}, err
	}
	out := drydock.Credential{Registry: Host(c.Registry)}
	var err error
	if out.Username, err = c.value(ctx, "username", c.Username, c.UsernameType, vault); err != nil {
		return drydock.Credential{}, err
	}
	out.Password, err = c.value(ctx, "password", c.Password, c.PasswordType, vault)
	return out, err
}

// validate checks what acb checks.
func (c *registryCredential) validate() error {
	if c.Registry == "" {
		return invalid("a credential has no registry")
	}
	c.UsernameType, c.PasswordType = strings.ToLower(c.UsernameType), strings.ToLower(c.PasswordType)
	fromVault := c.UsernameType == vaultSecret || c.PasswordType == vaultSecret
	switch {
	case c.UsernameType == "" && c.PasswordType == "":
		if c.Identity == "" || c.AADResourceID == "" {
			return c.invalid("needs userNameProviderType and passwordProviderType, which are opaque or vaultsecret")
		}
		return drydock.Errorf(drydock.Unavailable, "the credential of registry %s logs in as a managed identity, which this run has none of", c.Registry).
			WithHint("give a user name and a password, both opaque")
	case !fromVault && (c.UsernameType != opaque || c.PasswordType != opaque):
		return c.invalid("has provider types %q and %q; known are opaque and vaultsecret", c.UsernameType, c.PasswordType)
	case c.Username == "":
		return c.invalid("has no username")
	case c.Password == "":
		return c.invalid("has no password")
	case fromVault && c.Identity == "":
		return c.invalid("takes a secret from a vault and names no identity to read it")
	case c.UsernameType == opaque && strings.Contains(c.Username, ":"):
		return c.invalid("has a username with a colon, which no registry can be told")
	}
	return nil
}

// value returns the user name or password itself.
func (c *registryCredential) value(ctx context.Context, what, value, kind string, vault Vault) (string, error) {
	if kind != vaultSecret {
		return value, nil
	}
	if vault == nil {
		return "", drydock.Errorf(drydock.Unavailable, "the %s of registry %s is in a key vault, which this run has no access to", what, c.Registry).
			WithHint("give it as opaque")
	}
	secret, err := vault.Secret(ctx, value, c.Identity)
	if err != nil {
		return "", drydock.Errorf(drydock.CodeOf(err), "reading the %s of registry %s from the vault: %w", what, c.Registry, err)
	}
	return secret, nil
}

func (c *registryCredential) invalid(format string, args ...any) *drydock.Error {
	return invalid("the credential of registry %s %s", c.Registry, fmt.Sprintf(format, args...))
}

func invalid(format string, args ...any) *drydock.Error {
	return drydock.Errorf(drydock.Invalid, format, args...)
}

// jsonProblem says what is wrong with JSON without quoting any of it, since
// what is quoted could be a secret.
func jsonProblem(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("is not valid JSON at byte %d", syntax.Offset)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("has a %q that is not of type %s", kind.Field, kind.Type)
	case errors.As(err, &kind):
		return "is not a JSON object"
	default:
		return "is not valid"
	}
}
