package identity

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// Secret returns the value of a vault's secret, read as an identity.
func (k *Keyring) Secret(ctx context.Context, use drydock.IdentityUse, secret string) (string, error) {
	if use.Name == "" {
		return "", drydock.Errorf(drydock.Invalid, "the secret %s can't be read as nobody", shown(secret)).
			WithHint("say which identity of the task reads it, with --use-identity %s", drydock.SystemIdentity)
	}
	if strings.EqualFold(use.Name, drydock.CallerIdentity) {
		// Who writes a task would read what those may read who run it.
		return "", drydock.Errorf(drydock.Invalid, "the secret %s can't be read as %s, who is nobody's to use but for the run's own registry", shown(secret), drydock.CallerIdentity).
			WithHint("name an identity of the task instead, as %s", drydock.SystemIdentity)
	}
	p, err := k.find(ctx, use)
	if err != nil {
		return "", err
	}
	if k.Vaults == nil {
		return "", drydock.Errorf(drydock.Unavailable, "this server has no vaults to read %s from", shown(secret))
	}
	value, err := k.Vaults.Secret(ctx, p, secret)
	if drydock.CodeOf(err) == drydock.Denied {
		return "", mayNotRead(use, p, secret, err)
	}
	if err != nil {
		return "", drydock.Errorf(drydock.CodeOf(err), "reading the secret %s as %s: %w", shown(secret), who(use, p), err)
	}
	return value, nil
}

// mayNotRead says which identity may not read which secret: with the right that
// it lacks if the vault says how to give it, and else with the vault's words, as
// of a secret that is disabled.
func mayNotRead(use drydock.IdentityUse, p drydock.Principal, secret string, err error) error {
	name, vault := parts(secret)
	what := who(use, p) + " may not read the secret " + name + " in vault " + vault
	var known *drydock.Error
	if !errors.As(err, &known) || known.Hint == "" {
		return drydock.Errorf(drydock.Denied, "%s: %w", what, err)
	}
	return &drydock.Error{
		Code: drydock.Denied, Err: err, Hint: known.Hint,
		Message: what + ": it lacks the permission 'get' on secrets there",
	}
}

// parts returns the names of a secret and of its vault, as far as a URL has them.
func parts(secret string) (name, vault string) {
	u, err := url.Parse(secret)
	if err != nil {
		return "", ""
	}
	vault, _, _ = strings.Cut(u.Hostname(), ".")
	if segments := strings.Split(strings.Trim(u.Path, "/"), "/"); len(segments) > 1 {
		name = segments[1]
	}
	return name, vault
}

// shown returns a secret's URL without what may be secret in it.
func shown(secret string) string {
	u, err := url.Parse(secret)
	if err != nil {
		return "(not a URL)"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}
