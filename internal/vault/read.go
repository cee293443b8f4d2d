package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

// Secret returns the value of the secret with a URL, as somebody reads it: of a
// vault of this server, or else of one of Azure. It is read anew each time. What
// a reader lacks is an error with code Denied that names the reader, the right
// and the command that gives it.
func (s *Service) Secret(ctx context.Context, reader drydock.Principal, url string) (string, error) {
	n, err := ParseURL(url, s.c.Suffix)
	if err != nil {
		return "", err
	}
	by := Caller{Principal: reader, From: origin(reader)}
	secret, err := s.Get(ctx, n.Vault, n.Secret, n.Version, by)
	var refused *Error
	switch {
	case err == nil:
		return secret.Value, nil
	case !errors.As(err, &refused):
		return "", fmt.Errorf("reading the secret %s: %w", shownURL(url), err)
	case refused.Code == "VaultNotFound" && !n.Ours && s.c.Azure != nil:
		return s.fromAzure(ctx, n, by)
	case refused.Code == "VaultNotFound" && !n.Ours:
		return "", drydock.Errorf(drydock.NotFound, "there is no key vault %s at this server, which reads none of Azure's, so that the secret %s can't be read", n.Vault, shownURL(url)).
			WithHint("create the vault here, or let the server read Azure's: vaults.azure is off")
	case refused.Code == "VaultNotFound":
		return "", drydock.Errorf(drydock.NotFound, "there is no key vault %s, so that the secret %s can't be read", n.Vault, shownURL(url))
	case refused.Inner == "AccessDenied", refused.Inner == "ForbiddenByRbac":
		return "", s.denied(ctx, n, by, url)
	}
	return "", drydock.Errorf(codeOf(refused), "reading the secret %s: %w", shownURL(url), refused)
}

// denied says what a reader lacks, and how it is given.
func (s *Service) denied(ctx context.Context, n Name, by Caller, url string) error {
	right := "the secret permission 'get' on the key vault " + n.Vault
	e := drydock.Errorf(drydock.Denied, "the identity %s (object id %s) may not read the secret %s: it lacks %s", described(by.Principal), by.ID, shownURL(url), right)
	if v, err := s.c.Directory.Vault(ctx, n.Vault); err == nil {
		return e.WithHint("give it that with: %s", advice(v, by.Principal, permGet))
	}
	return e
}

func described(p drydock.Principal) string {
	if p.Name != "" {
		return p.Name
	}
	return p.AppID
}

// origin says from where somebody reads who does so within the server.
func origin(p drydock.Principal) string {
	if p.Run != nil {
		return RunOrigin(*p.Run)
	}
	return "server"
}

// RunOrigin says that something comes from a run, or
// a container group.
func RunOrigin(k drydock.RunKey) string {
	if k.OfGroup() {
		return k.String()
	}
	return "run " + k.Registry.Name() + "/" + k.ID
}

// fromAzure reads a secret that is not this server's.
func (s *Service) fromAzure(ctx context.Context, n Name, by Caller) (string, error) {
	value, err := s.c.Azure.AzureSecret(ctx, n.Host, n.Secret, n.Version)
	r := drydock.AuditRecord{
		ID: s.c.NewID(), Time: s.c.Now(), Principal: by.ID, AppID: by.AppID, Name: by.Name, From: by.From,
		Action: permGet.Action, Target: "https://" + n.Host + "/secrets/" + n.Secret, Result: drydock.AuditSucceeded,
	}
	if err != nil {
		r.Result, r.Detail = drydock.AuditFailed, string(drydock.CodeOf(err))
	}
	if audit := s.c.Audit.Record(ctx, r); audit != nil {
		return "", errors.Join(drydock.Errorf(drydock.Unavailable, "the audit log can't be written: %w", audit), err)
	}
	return value, err
}
