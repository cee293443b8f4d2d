package vault

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
)

// Store is where secrets are kept.
type Store interface {
	drydock.SecretStore
	drydock.Transactor
}

// Directory finds vaults.
type Directory interface {
	// Vault returns the vault with a name, whose case does not matter; code
	// NotFound when there is none.
	Vault(ctx context.Context, name string) (drydock.Vault, error)
}

// Auditor keeps the audit log.
type Auditor interface {
	// Record returns when the record can't be lost any more.
	Record(ctx context.Context, r drydock.AuditRecord) error
}

// Config is what a Service needs.
type Config struct {
	Store     Store
	Keys      *Keys
	Directory Directory
	Roles     Roles
	Audit     Auditor
	Tenant    string
	// Suffix follows "NAME." in the hosts of the server's own vaults, as
	// "vault.drydock.test:8443".
	Suffix string
	// Sources are the vaults whose secrets are elsewhere, by name in lower case.
	// Their policies are those of the vault of that name here.
	Sources map[string]Source
	// Azure reads the vaults of Azure that this server does not have; nil for
	// nobody.
	Azure AzureReader
	Log   *slog.Logger
	Now   func() time.Time
	NewID func() string // returns a fresh GUID
}

// Service is the secrets of all vaults. Its methods may be called from several
// goroutines. What they refuse is an *Error.
type Service struct{ c Config }

// NewService returns a Service.
func NewService(c Config) *Service { return &Service{c} }

// Caller is who asks, and from where.
type Caller struct {
	drydock.Principal
	From string // an address, or a run
}

// request is an operation on a vault by somebody who may do it.
type request struct {
	vault  drydock.Vault
	secret string // empty for the vault
	caller Caller
	want   Permission
}

// do authorises an operation, carries it out and records it. Nothing that it
// returns is given away before it is recorded.
func do[T any](ctx context.Context, s *Service, vault, secret string, by Caller, want Permission, f func(*request) (T, error)) (T, error) {
	var none T
	v, err := s.c.Directory.Vault(ctx, vault)
	if drydock.CodeOf(err) == drydock.NotFound || err == nil && v.Deleting {
		return none, vaultNotFound(vault)
	}
	if err != nil {
		return none, err
	}
	req := &request{vault: v, secret: secret, caller: by, want: want}
	var result T
	err = s.checkName(secret)
	if err == nil {
		err = s.authorize(ctx, v, by.Principal, want, secret)
	}
	if err == nil {
		result, err = f(req)
	}
	if audit := s.record(ctx, req, err); audit != nil {
		return none, errors.Join(audit, err)
	}
	if err != nil {
		return none, err
	}
	return result, nil
}

// record writes what became of a request to the audit log.
func (s *Service) record(ctx context.Context, req *request, err error) error {
	r := drydock.AuditRecord{
		ID: s.c.NewID(), Time: s.c.Now(), Principal: req.caller.ID, AppID: req.caller.AppID, Name: req.caller.Name,
		From: req.caller.From, Action: req.want.Action, Target: scope(req.vault, req.secret).String(), Result: drydock.AuditSucceeded,
	}
	if err != nil {
		e, _ := errorOf(err)
		r.Result, r.Detail = drydock.AuditFailed, e.Code
		if e.Inner != "" {
			r.Detail = e.Inner
		}
		if codeOf(e) == drydock.Denied || e.Status == http.StatusUnauthorized {
			r.Result = drydock.AuditDenied
		}
	}
	if err := s.c.Audit.Record(ctx, r); err != nil {
		return drydock.Errorf(drydock.Unavailable, "the audit log can't be written: %w", err)
	}
	return nil
}
