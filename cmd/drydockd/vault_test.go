package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/vault"
)

// New keys of the vaults are in the audit log, as is that there came none.
func TestNewKeysAreNoted(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t), t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	last := func(count int, result drydock.AuditResult) {
		t.Helper()
		all, err := store.Audit(t.Context(), drydock.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != count || all[0].Result != result || all[0].Name != "drydockd vault rotate-key" || !all[0].Time.Equal(b.now()) ||
			all[0].Action != "Microsoft.KeyVault/vaults/keys/rotate/action" {
			t.Errorf("the log has %+v", all)
		}
	}
	if err := b.rotateKeys(t.Context(), dir, ""); drydock.CodeOf(err) != drydock.NotFound {
		t.Error("keys that are not there were replaced: ", err)
	}
	last(1, drydock.AuditFailed)
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenKeys(t.Context(), store, vault.Opener{Dir: dir}, "keys/vault.key"); err != nil {
		t.Fatal(err)
	}
	if err := b.rotateKeys(t.Context(), dir, ""); err != nil {
		t.Fatal(err)
	}
	last(2, drydock.AuditSucceeded)
}
