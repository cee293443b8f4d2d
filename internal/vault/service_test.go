package vault_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/vault"
)

type drydockVault = drydock.Vault

// operations are all that needs a permission, with the permission and the data
// action of roles.
func (w *world) operations(t *testing.T, by vault.Caller) map[string]func() error {
	ctx, value := t.Context(), "v"
	return map[string]func() error{
		"get":         func() error { _, err := w.Get(ctx, "box", "there", "", by); return err },
		"list":        func() error { _, err := w.List(ctx, "box", "", 5, by); return err },
		"versions":    func() error { _, err := w.Versions(ctx, "box", "there", "", 5, by); return err },
		"set":         func() error { _, err := w.Set(ctx, "box", "new", vault.Change{Value: &value}, by); return err },
		"update":      func() error { _, err := w.Update(ctx, "box", "there", "", vault.Change{}, by); return err },
		"delete":      func() error { _, err := w.Delete(ctx, "box", "doomed", by); return err },
		"get deleted": func() error { _, err := w.Deleted(ctx, "box", "gone", by); return err },
		"list deleted": func() error {
			_, err := w.ListDeleted(ctx, "box", "", 5, by)
			return err
		},
		"backup":  func() error { _, err := w.Backup(ctx, "box", "there", by); return err },
		"restore": func() error { _, err := w.Restore(ctx, "box", "AA", by); return err },
		"recover": func() error { _, err := w.Recover(ctx, "box", "gone", by); return err },
		"purge":   func() error { return w.Purge(ctx, "box", "spent", by) },
	}
}

// needs are what each operation needs: the permission of policies, and the data
// action of roles.
var needs = map[string][2]string{
	"get": {"get", "getSecret/action"}, "list": {"list", "readMetadata/action"}, "versions": {"list", "readMetadata/action"},
	"set": {"set", "setSecret/action"}, "update": {"set", "update/action"}, "delete": {"delete", "delete"},
	"get deleted": {"get", "readMetadata/action"}, "list deleted": {"list", "readMetadata/action"},
	"backup": {"backup", "backup/action"}, "restore": {"restore", "restore/action"}, "recover": {"recover", "recover/action"}, "purge": {"purge", "purge/action"},
}

// prepare makes what the operations work on.
func (w *world) prepare(t *testing.T) {
	t.Helper()
	for _, name := range []string{"there", "doomed", "gone", "spent"} {
		w.set(t, name, "value of "+name)
	}
	for _, name := range []string{"gone", "spent"} {
		if _, err := w.Delete(t.Context(), "box", name, as(ann)); err != nil {
			t.Fatal(err)
		}
	}
}

func isDenied(err error) bool {
	var e *vault.Error
	return errors.As(err, &e) && e.Status == http.StatusForbidden
}

// Each permission gives what it is for and nothing else, and taking it away holds
// at once.
func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, given := range []string{"get", "list", "set", "delete", "recover", "backup", "restore", "purge", "all", ""} {
		t.Run("with "+given, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.prepare(t)
			let := func(v *drydock.Vault) {
				v.Policies = append(v.Policies, drydock.VaultPolicy{Tenant: tenant, Principal: strings.ToUpper(bob.ID), Secrets: []string{given}})
			}
			for operation, need := range needs {
				w.alter("box", let)
				err := w.operations(t, as(bob))[operation]()
				allowed := given == need[0] || given == "all"
				if isDenied(err) == allowed {
					t.Errorf("%s: %v", operation, err)
				}
				record := w.last()
				if record.Principal != bob.ID || record.From != "192.0.2.1" || (record.Result == drydock.AuditDenied) == allowed ||
					record.Action != "Microsoft.KeyVault/vaults/secrets/"+need[1] {
					t.Errorf("%s is recorded as %+v", operation, record)
				}
				w.alter("box", func(v *drydock.Vault) { v.Policies = v.Policies[:1] })
				if err := w.operations(t, as(bob))[operation](); !isDenied(err) {
					t.Errorf("%s without the policy: %v", operation, err)
				}
			}
		})
	}
}

// Roles give data actions, on a vault and on a single secret; a role that manages
// resources gives none.
func TestRoles(t *testing.T) {
	t.Parallel()
	everything := func(string) bool { return true }
	user := func(action string) bool { return action == "getSecret/action" || action == "readMetadata/action" }
	nothing := func(string) bool { return false }
	for role, gives := range map[string]func(string) bool{
		auth.VaultSecretsUserRole: user, auth.VaultSecretsOfficerRole: everything, auth.VaultAdministratorRole: everything,
		auth.VaultReaderRole: func(a string) bool { return a == "readMetadata/action" }, auth.OwnerRole: nothing, auth.ReaderRole: nothing, auth.VaultContributorRole: nothing,
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.prepare(t)
			w.alter("box", func(v *drydock.Vault) { v.RolesOnly = true })
			if err := w.operations(t, as(ann))["get"](); !isDenied(err) {
				t.Errorf("a policy counts although roles alone should: %v", err)
			}
			for operation, need := range needs {
				a := drydock.RoleAssignment{ID: uuid.NewString(), Scope: boxID, Role: role, Principal: bob.ID}
				if err := w.store.PutRoleAssignment(t.Context(), a); err != nil {
					t.Fatal(err)
				}
				if err := w.operations(t, as(bob))[operation](); isDenied(err) == gives(need[1]) {
					t.Errorf("%s: %v", operation, err)
				}
				if err := w.store.DeleteRoleAssignment(t.Context(), a.Scope, a.ID); err != nil {
					t.Fatal(err)
				}
				if err := w.operations(t, as(bob))[operation](); !isDenied(err) {
					t.Errorf("%s without the role: %v", operation, err)
				}
			}
		})
	}
}

func TestRoleOnOneSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.prepare(t)
	a := drydock.RoleAssignment{ID: uuid.NewString(), Scope: boxID.Child("secrets", "THERE"), Role: auth.VaultSecretsUserRole, Principal: bob.ID}
	if err := w.store.PutRoleAssignment(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(t.Context(), "box", "there", "", as(bob)); err != nil {
		t.Error(err)
	}
	if _, err := w.Get(t.Context(), "box", "doomed", "", as(bob)); !isDenied(err) {
		t.Errorf("another secret: %v", err)
	}
}

// Policies of groups, of other applications and of other tenants.
func TestWhomPoliciesAreFor(t *testing.T) {
	t.Parallel()
	const group = "c0000000-0000-4000-8000-000000000003"
	member := bob
	member.Groups = []string{group}
	for name, test := range map[string]struct {
		policy drydock.VaultPolicy
		caller drydock.Principal
		want   bool
	}{
		"a group":               {drydock.VaultPolicy{Principal: group}, member, true},
		"a group of others":     {drydock.VaultPolicy{Principal: group}, bob, false},
		"an application":        {drydock.VaultPolicy{Principal: bob.ID, Application: bob.AppID}, bob, true},
		"another application":   {drydock.VaultPolicy{Principal: bob.ID, Application: ann.AppID}, bob, false},
		"another tenant":        {drydock.VaultPolicy{Principal: bob.ID, Tenant: group}, bob, false},
		"nobody":                {drydock.VaultPolicy{}, drydock.Principal{}, false},
		"a client id is no oid": {drydock.VaultPolicy{Principal: bob.AppID}, bob, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.prepare(t)
			test.policy.Secrets = []string{"Get"}
			w.alter("box", func(v *drydock.Vault) { v.Policies = append(v.Policies, test.policy) })
			if _, err := w.Get(t.Context(), "box", "there", "", as(test.caller)); isDenied(err) == test.want {
				t.Error(err)
			}
		})
	}
}

// Nothing is given away that can't be recorded.
func TestAuditComesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.prepare(t)
	w.mu.Lock()
	w.refuse = errors.New("the disk is full")
	w.mu.Unlock()
	if s, err := w.Get(t.Context(), "box", "there", "", as(ann)); err == nil || s != nil || drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("%v, %v", s, err)
	}
	if value, err := w.Secret(t.Context(), ann, "https://box.vault.azure.cn/secrets/there"); err == nil || value != "" {
		t.Errorf("%q, %v", value, err)
	}
}

// No value is in an error or in the audit log, whatever is done with it.
func TestValuesStayInside(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const value = "s3cr3t-hunter2"
	w.set(t, "a", value)
	long := strings.Repeat(value, 3000)
	_, tooLong := w.Set(t.Context(), "box", "a", vault.Change{Value: &long}, as(ann))
	text := value
	_, denied := w.Set(t.Context(), "box", "a", vault.Change{Value: &text}, as(bob))
	_, badName := w.Set(t.Context(), "box", "a b", vault.Change{Value: &text}, as(ann))
	_, notURL := w.Secret(t.Context(), ann, value)
	_, inURL := w.Secret(t.Context(), ann, "https://user:"+value+"@box.vault.azure.cn/secrets/a?"+value)
	for _, err := range []error{tooLong, denied, badName, notURL, inURL} {
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
	if text := fmt.Sprintf("%+v", w.audit); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}

// What a run reads as an identity: the newest version each time, at any name of
// the vault; what is missing is named.
func TestSecretOfRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.set(t, "token", "one")
	reader := ann
	reader.Run = &drydock.RunKey{Registry: drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "n", Types: []string{"registries"}, Names: []string{"contoso"}}, ID: "ca1"}
	for url, want := range map[string]string{
		"https://box.vault.azure.net/secrets/token":                                        "two",
		"https://BOX.vault.azure.cn/secrets/token/":                                        "two",
		"https://box.vault.drydock.test:8443/secrets/token":                                "two",
		"https://box.vault.usgovcloudapi.net/secrets/token/" + first.Version:               "one",
		" https://box.vault.azure.net:443/secrets/Token/" + strings.ToUpper(first.Version): "one",
	} {
		if want == "two" {
			w.set(t, "token", "two")
		}
		got, err := w.Secret(t.Context(), reader, url)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	if r := w.last(); r.From != "run contoso/ca1" || r.Principal != ann.ID {
		t.Errorf("recorded as %+v", r)
	}
	_, err := w.Secret(t.Context(), bob, "https://box.vault.azure.net/secrets/token")
	if drydock.CodeOf(err) != drydock.Denied || !strings.Contains(err.Error(), "az keyvault set-policy --name box --object-id "+bob.ID+" --secret-permissions get") || !strings.Contains(err.Error(), "bob") {
		t.Error(err)
	}
	w.alter("box", func(v *drydock.Vault) { v.RolesOnly = true })
	_, err = w.Secret(t.Context(), bob, "https://box.vault.azure.net/secrets/token")
	if drydock.CodeOf(err) != drydock.Denied || !strings.Contains(err.Error(), "az role assignment create --role 'Key Vault Secrets User'") {
		t.Error(err)
	}
	for url, code := range map[string]drydock.Code{
		"https://nobox.vault.azure.net/secrets/token":           drydock.NotFound,
		"https://nobox.vault.drydock.test:8443/secrets/token":   drydock.NotFound,
		"http://box.vault.azure.net/secrets/token":              drydock.Invalid,
		"https://box.vault.azure.net:444/secrets/token":         drydock.Invalid,
		"https://box.vault.azure.net/keys/token":                drydock.Invalid,
		"https://box.vault.azure.net/secrets/../secrets/token":  drydock.Invalid,
		"https://box.vault.azure.net.evil.example/secrets/toke": drydock.Invalid,
		"https://vault.azure.net/secrets/token":                 drydock.Invalid,
		"token":                                                 drydock.Invalid,
	} {
		if _, err := w.Secret(t.Context(), ann, url); drydock.CodeOf(err) != code {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// What was deleted is purged when its time is up, and not before.
func TestPurgeDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.prepare(t)
	if err := w.store.PurgeDue(t.Context(), w.now.Add(90*24*time.Hour-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Deleted(t.Context(), "box", "gone", as(ann)); err != nil {
		t.Error(err)
	}
	if err := w.store.PurgeDue(t.Context(), w.now.Add(90*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Deleted(t.Context(), "box", "gone", as(ann)); err == nil {
		t.Error("it is still there")
	}
	w.want(t, "there", "", "value of there")
}
