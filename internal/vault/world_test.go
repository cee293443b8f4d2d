package vault_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/vault"
)

const tenant = "0a0a0a0a-0000-4000-8000-000000000000"

var (
	ann = drydock.Principal{ID: "a0000000-0000-4000-8000-000000000001", AppID: "a0000000-0000-4000-8000-00000000000a", Name: "ann", Kind: drydock.ServicePrincipal}
	bob = drydock.Principal{ID: "b0000000-0000-4000-8000-000000000002", AppID: "b0000000-0000-4000-8000-00000000000b", Name: "bob", Kind: drydock.ServicePrincipal}
)

// world is a service on a real database.
type world struct {
	*vault.Service
	store  *sqlstore.Store
	opener vault.Opener
	config vault.Config

	mu     sync.Mutex
	vaults map[string]drydock.Vault
	audit  []drydock.AuditRecord
	refuse error // of the audit log
	now    time.Time
}

// newWorld makes one with the vault box, in which ann may do everything.
func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := &world{store: store, opener: vault.Opener{Dir: dir}, vaults: map[string]drydock.Vault{}, now: time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)}
	w.vaults["box"] = drydock.Vault{
		ID: boxID, UID: "uid-of-box", Location: "local", Retention: 90 * 24 * time.Hour,
		Policies: []drydock.VaultPolicy{{Tenant: tenant, Principal: ann.ID, Secrets: []string{"all"}}},
	}
	keys, err := vault.OpenKeys(t.Context(), store, w.opener, "keys/vault.key")
	if err != nil {
		t.Fatal(err)
	}
	w.config = vault.Config{
		Store: store, Keys: keys, Directory: w, Roles: store, Audit: w, Tenant: tenant, Suffix: "vault.drydock.test:8443",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), NewID: uuid.NewString,
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
	}
	w.Service = vault.NewService(w.config)
	return w
}

var boxID = drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "Microsoft.KeyVault", Types: []string{"vaults"}, Names: []string{"box"}}

// Vault implements vault.Directory.
func (w *world) Vault(_ context.Context, name string) (drydock.Vault, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.vaults[name]
	if !ok {
		return v, drydock.Errorf(drydock.NotFound, "there is none")
	}
	return v, nil
}

// Record implements vault.Auditor.
func (w *world) Record(_ context.Context, r drydock.AuditRecord) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse == nil {
		w.audit = append(w.audit, r)
	}
	return w.refuse
}

func (w *world) last() drydock.AuditRecord {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.audit) == 0 {
		return drydock.AuditRecord{}
	}
	return w.audit[len(w.audit)-1]
}

func (w *world) alter(name string, change func(*drydock.Vault)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.vaults[name]
	change(&v)
	w.vaults[name] = v
}

// as is who calls.
func as(p drydock.Principal) vault.Caller { return vault.Caller{Principal: p, From: "192.0.2.1"} }

func (w *world) set(t testing.TB, name, value string) *vault.Secret {
	t.Helper()
	s, err := w.Set(t.Context(), "box", name, vault.Change{Value: &value}, as(ann))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) want(t testing.TB, name, version, value string) {
	t.Helper()
	s, err := w.Get(t.Context(), "box", name, version, as(ann))
	if err != nil {
		t.Fatal(err)
	}
	if s.Value != value {
		t.Errorf("%s is %q, want %q", name, s.Value, value)
	}
}
