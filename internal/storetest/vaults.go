package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var vaultTests = map[string]func(*testing.T, Store){
	"kept":    secretKept,
	"pages":   secretPages,
	"deleted": secretDeleted,
	"sealed":  secretSealed,
	"vaults":  deletedVaults,
	"due":     purgeDue,
}

// secretVersion adds a version of a secret and returns it as it is stored.
func secretVersion(t *testing.T, s Store, vault, name, version string) drydock.SecretVersion {
	t.Helper()
	v := drydock.SecretVersion{
		Vault: vault, Name: name, Version: version, Sealed: []byte{0, 255, '\n'}, SealKey: 1 << 31, ContentType: "text",
		Tags: map[string]string{"a": "b"}, Disabled: true, NotBefore: day, Expires: day.Add(time.Hour), Created: day, Updated: day.Add(1),
	}
	check(t, s.AddSecretVersion(t.Context(), v))
	return v
}

func secretVersions(t *testing.T, s Store, f drydock.SecretFilter) []drydock.SecretVersion {
	t.Helper()
	found, err := s.SecretVersions(t.Context(), f)
	check(t, err)
	return found
}

func secretKept(t *testing.T, s Store) {
	one, two := secretVersion(t, s, "v", "Token", "1"), secretVersion(t, s, "v", "token", "2")
	secretVersion(t, s, "else", "token", "1")
	two.Name = one.Name // the spelling of the first stays
	same(t, "all versions", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Name: "TOKEN"}), []drydock.SecretVersion{two, one})
	same(t, "the newest", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Latest: true}), []drydock.SecretVersion{two})
	same(t, "one", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Name: "token", Version: "1"}), []drydock.SecretVersion{one})
	wantCode(t, "the same version", s.AddSecretVersion(t.Context(), one), drydock.Conflict)
	one.ContentType, one.Tags, one.Disabled, one.NotBefore, one.Expires, one.Updated = "json", nil, false, time.Time{}, time.Time{}, day.Add(2)
	changed := one
	changed.Name, changed.Sealed, changed.SealKey, changed.Created = "TOKEN", []byte("not taken"), 7, day.Add(5)
	check(t, s.UpdateSecretVersion(t.Context(), changed))
	same(t, "changed", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Name: "token", Version: "1"}), []drydock.SecretVersion{one})
	changed.Version = "3"
	wantCode(t, "changing none", s.UpdateSecretVersion(t.Context(), changed), drydock.NotFound)
}

func secretPages(t *testing.T, s Store) {
	for i := range 5 {
		secretVersion(t, s, "v", fmt.Sprint("s", i), "1")
		secretVersion(t, s, "v", "s0", fmt.Sprint("v", i))
	}
	var names, versions []string
	for after := ""; ; {
		page := secretVersions(t, s, drydock.SecretFilter{Vault: "v", Latest: true, After: after, Limit: 2})
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			names, after = append(names, v.Name), v.Name
		}
	}
	for after := ""; ; {
		page := secretVersions(t, s, drydock.SecretFilter{Vault: "v", Name: "S0", After: after, Limit: 4})
		if len(page) == 0 {
			break
		}
		for _, v := range page {
			versions, after = append(versions, v.Version), v.Version
		}
	}
	same(t, "names", names, []string{"s0", "s1", "s2", "s3", "s4"})
	same(t, "versions", versions, []string{"v4", "v3", "v2", "v1", "v0", "1"})
}

func secretDeleted(t *testing.T, s Store) {
	v := secretVersion(t, s, "v", "a", "1")
	wantCode(t, "recovering what is there", s.SetSecretDeleted(t.Context(), "v", "a", time.Time{}, time.Time{}), drydock.Conflict)
	wantCode(t, "deleting none", s.SetSecretDeleted(t.Context(), "v", "b", day, day), drydock.NotFound)
	check(t, s.SetSecretDeleted(t.Context(), "v", "A", day, day.Add(time.Hour)))
	wantCode(t, "deleting twice", s.SetSecretDeleted(t.Context(), "v", "a", day, day), drydock.Conflict)
	same(t, "those that are there", secretVersions(t, s, drydock.SecretFilter{Vault: "v"}), nil)
	gone := v
	gone.Deleted, gone.Purge = day, day.Add(time.Hour)
	same(t, "deleted", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Deleted: true}), []drydock.SecretVersion{gone})
	same(t, "any", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Any: true}), []drydock.SecretVersion{gone})
	again := v
	again.Version = "2"
	wantCode(t, "its name", s.AddSecretVersion(t.Context(), again), drydock.Conflict)
	check(t, s.SetSecretDeleted(t.Context(), "v", "a", time.Time{}, time.Time{}))
	same(t, "recovered", secretVersions(t, s, drydock.SecretFilter{Vault: "v"}), []drydock.SecretVersion{v})
	check(t, s.PurgeSecret(t.Context(), "v", "A"))
	wantCode(t, "purging twice", s.PurgeSecret(t.Context(), "v", "a"), drydock.NotFound)
	same(t, "purged", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Any: true}), nil)
	check(t, s.AddSecretVersion(t.Context(), v))
}

func secretSealed(t *testing.T, s Store) {
	v := secretVersion(t, s, "v", "a", "1")
	secretVersion(t, s, "v", "b", "1")
	found, err := s.SealedByOthers(t.Context(), v.SealKey, 10)
	check(t, err)
	same(t, "with another key", found, nil)
	found, err = s.SealedByOthers(t.Context(), 5, 1)
	check(t, err)
	if len(found) != 1 {
		t.Fatal(len(found), "with another key instead of 1")
	}
	old := v.SealKey
	v.Sealed, v.SealKey = []byte("anew"), 5
	check(t, s.Reseal(t.Context(), v, old+1))
	check(t, s.Reseal(t.Context(), v, old))
	v.Sealed = []byte("too late")
	check(t, s.Reseal(t.Context(), v, old))
	v.Sealed = []byte("anew")
	same(t, "sealed anew", secretVersions(t, s, drydock.SecretFilter{Vault: "v", Name: "a"}), []drydock.SecretVersion{v})
}

func deletedVaults(t *testing.T, s Store) {
	id := group
	id.Namespace, id.Types, id.Names = "Microsoft.KeyVault", []string{"vaults"}, []string{"Box"}
	first := drydock.DeletedVault{ID: id, UID: "1", Location: "local", Body: []byte("{}"), Created: day, Deleted: day, Purge: day.Add(time.Hour)}
	second := first
	second.UID, second.Deleted = "2", day.Add(1)
	for _, v := range []drydock.DeletedVault{first, second, second} {
		check(t, s.PutDeletedVault(t.Context(), v))
	}
	found, err := s.DeletedVaults(t.Context(), "bOX")
	check(t, err)
	same(t, "of a name", found, []drydock.DeletedVault{second, first})
	found, err = s.DeletedVaults(t.Context(), "other")
	check(t, err)
	same(t, "of another", found, nil)
	secretVersion(t, s, "1", "a", "1")
	secretVersion(t, s, "2", "a", "1")
	check(t, s.ForgetDeletedVault(t.Context(), "1"))
	wantCode(t, "again", s.ForgetDeletedVault(t.Context(), "1"), drydock.NotFound)
	check(t, s.PurgeVault(t.Context(), "2"))
	if len(secretVersions(t, s, drydock.SecretFilter{Vault: "1"})) != 1 || len(secretVersions(t, s, drydock.SecretFilter{Vault: "2"})) != 0 {
		t.Error("the secrets of the wrong vault are gone")
	}
	found, err = s.DeletedVaults(t.Context(), "")
	check(t, err)
	same(t, "left", found, nil)
}

func purgeDue(t *testing.T, s Store) {
	id := group
	id.Namespace, id.Types, id.Names = "Microsoft.KeyVault", []string{"vaults"}, []string{"Box"}
	check(t, s.PutDeletedVault(t.Context(), drydock.DeletedVault{ID: id, UID: "gone", Purge: day.Add(time.Hour)}))
	secretVersion(t, s, "gone", "a", "1")
	for _, name := range []string{"stays", "deleted"} {
		secretVersion(t, s, "v", name, "1")
	}
	check(t, s.SetSecretDeleted(t.Context(), "v", "deleted", day, day.Add(time.Hour)))
	count := func(want int) {
		t.Helper()
		n := len(secretVersions(t, s, drydock.SecretFilter{Vault: "v", Any: true})) + len(secretVersions(t, s, drydock.SecretFilter{Vault: "gone", Any: true}))
		if n != want {
			t.Errorf("%d secrets instead of %d", n, want)
		}
	}
	check(t, s.PurgeDue(t.Context(), day.Add(time.Hour-1)))
	count(3)
	check(t, s.PurgeDue(t.Context(), day.Add(time.Hour)))
	count(1)
}
