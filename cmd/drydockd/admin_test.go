package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// A reset of the admin is in the audit log, without the secret.
func TestResetOfTheAdminIsNoted(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t), t.TempDir()
	store, err := sqlstore.Open(t.Context(), filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	notes := func() []drydock.AuditRecord {
		t.Helper()
		all, err := store.Audit(t.Context(), drydock.AuditFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if err := b.resetAdmin(t.Context(), dir); err == nil {
		t.Error("an admin who is not there was reset")
	}
	if all := notes(); len(all) != 1 || all[0].Result != drydock.AuditFailed {
		t.Errorf("after a reset that failed the log has %+v", all)
	}
	d := &auth.Directory{Principals: store, Roles: store, Settings: store, Hasher: auth.NewHasher(), Now: b.now, NewID: uuid.NewString}
	if _, err := d.Admin(t.Context(), uuid.NewString()); err != nil {
		t.Fatal(err)
	}
	if err := b.resetAdmin(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	all := notes()
	if len(all) != 2 || all[0].Result != drydock.AuditSucceeded || all[0].Name != "drydockd admin reset" || !all[0].Time.Equal(b.now()) {
		t.Errorf("the log has %+v", all)
	}
	_, secret, _ := strings.Cut(b.stdout.String(), "secret     ")
	if secret = strings.TrimSpace(secret); secret == "" || strings.Contains(all[0].Name+all[0].Target+all[0].Detail+all[0].Action, secret) {
		t.Errorf("the secret is %q, the note %+v", secret, all[0])
	}
}
