package identity_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/identity"
)

var (
	registry = drydock.ResourceID{
		Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"publicregistry"},
	}
	task     = registry.Child("tasks", "node-public")
	assigned = drydock.ResourceID{
		Subscription: "s", Group: "g", Namespace: "Microsoft.ManagedIdentity", Types: []string{"userAssignedIdentities"}, Names: []string{"puller"},
	}
	system = drydock.Principal{ID: "system-object", AppID: "system-client", Kind: drydock.ManagedIdentity, Name: "publicregistry/node-public", Owner: task}
	puller = drydock.Principal{ID: "puller-object", AppID: "puller-client", Kind: drydock.ManagedIdentity, Name: "puller", Owner: assigned}
	run    = drydock.RunKey{Registry: registry, ID: "ca1", Created: time.Unix(1, 0), Attempt: 1}
)

const userSecret = "https://acr-task-credentials.vault.azure.cn/secrets/registry-dockerhub-user"

// world is what a keyring stands on: a vault, roles and tasks with identities.
type world struct {
	identities map[string]drydock.Identities // by task
	policies   map[string]bool               // who may read the vault
	secrets    map[string]string             // by URL
	hint       string                        // of a vault that says how to be let in
	roles      []drydock.RoleAssignment
	people     map[string]drydock.Principal
	readers    []drydock.Principal
}

func newWorld() *world {
	return &world{
		identities: map[string]drydock.Identities{task.Key(): {Resource: task, System: &system, Users: []drydock.Principal{puller}}},
		people:     map[string]drydock.Principal{"sp-object": {ID: "sp-object", Kind: drydock.ServicePrincipal, Name: "ci"}},
		policies:   map[string]bool{}, secrets: map[string]string{userSecret: "me"},
	}
}

func (w *world) keyring() *identity.Keyring {
	return &identity.Keyring{Directory: w, Principals: w, Vaults: w, Tokens: w, Registries: w, Roles: w, Lifetime: time.Hour}
}

// Identities implements identity.Directory.
func (w *world) Identities(_ context.Context, id drydock.ResourceID) (drydock.Identities, error) {
	if all, ok := w.identities[id.Key()]; ok {
		return all, nil
	}
	return drydock.Identities{Resource: id}, nil
}

// Principal implements identity.Principals.
func (w *world) Principal(_ context.Context, id string) (drydock.Principal, error) {
	if p, ok := w.people[id]; ok {
		return p, nil
	}
	return drydock.Principal{}, drydock.Errorf(drydock.NotFound, "no principal %s", id)
}

// Principals implements identity.Principals.
func (w *world) Principals(_ context.Context, below drydock.ResourceID) ([]drydock.Principal, error) {
	if below.Key() == assigned.Key() {
		return []drydock.Principal{puller}, nil
	}
	return nil, nil
}

// Secret implements identity.Vaults.
func (w *world) Secret(_ context.Context, reader drydock.Principal, url string) (string, error) {
	w.readers = append(w.readers, reader)
	if !w.policies[reader.ID] {
		return "", &drydock.Error{Code: drydock.Denied, Message: "the vault lets nobody in", Hint: w.hint}
	}
	value, ok := w.secrets[url]
	if !ok {
		return "", drydock.Errorf(drydock.NotFound, "a secret with that name was not found in this vault")
	}
	return value, nil
}

// NewRegistryToken implements identity.Tokens.
func (w *world) NewRegistryToken(at drydock.ResourceID, p drydock.Principal, lifetime time.Duration) (string, error) {
	in := "no run"
	if p.Run != nil {
		in = p.Run.ID
	}
	return "token of " + p.ID + " in " + in + " for " + at.Name() + " and " + lifetime.String(), nil
}

// RegistryAt implements identity.Registries.
func (w *world) RegistryAt(_ context.Context, host string) (drydock.ResourceID, error) {
	if name, ok := strings.CutSuffix(host, ".azurecr.cn"); ok {
		id := registry
		id.Names = []string{name}
		return id, nil
	}
	return drydock.ResourceID{}, drydock.Errorf(drydock.NotFound, "no such registry")
}

// RoleAssignments implements auth.Assignments.
func (w *world) RoleAssignments(_ context.Context, f drydock.RoleFilter) ([]drydock.RoleAssignment, error) {
	var found []drydock.RoleAssignment
	for _, a := range w.roles {
		if a.Principal == f.Principal {
			found = append(found, a)
		}
	}
	return found, nil
}

func use(name string) drydock.IdentityUse {
	return drydock.IdentityUse{Resource: task, Name: name, Run: &run}
}

// wantError checks an error's code and that its text has all of some words.
func wantError(t *testing.T, err error, code drydock.Code, words ...string) {
	t.Helper()
	if drydock.CodeOf(err) != code {
		t.Fatalf("the error is %s: %v", drydock.CodeOf(err), err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
}

func TestSecretsAreReadAsTheIdentityOfTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keyring()
	w.hint = "let it in with: vaultctl"
	_, err := k.Secret(t.Context(), use("[system]"), userSecret)
	wantError(t, err, drydock.Denied, "[system] of task node-public in registry publicregistry", "system-object",
		"secret registry-dockerhub-user in vault acr-task-credentials", "lacks the permission 'get'", "(let it in with: vaultctl)")

	w.hint = "" // what lacks is no right
	_, err = k.Secret(t.Context(), use("[system]"), userSecret)
	if wantError(t, err, drydock.Denied, "[system] of task node-public", "in vault acr-task-credentials: the vault lets nobody in"); strings.Contains(err.Error(), "lacks") {
		t.Errorf("a right is said to be missing: %v", err)
	}

	w.policies[system.ID] = true
	for _, value := range []string{"me", "rotated"} {
		w.secrets[userSecret] = value
		got, err := k.Secret(t.Context(), use("[System]"), userSecret)
		if err != nil || got != value {
			t.Errorf("read %q: %v", got, err)
		}
	}
	if last := w.readers[len(w.readers)-1]; last.ID != system.ID || last.Run == nil || last.Run.ID != "ca1" {
		t.Errorf("the vault is told of %+v", last)
	}
	_, err = k.Secret(t.Context(), use("[system]"), userSecret+"s?sig=hush")
	if wantError(t, err, drydock.NotFound, "[system] of task node-public", "was not found in this vault"); strings.Contains(err.Error(), "hush") {
		t.Errorf("the error tells what is in the URL: %v", err)
	}
	_, err = k.Secret(t.Context(), use("puller-client"), userSecret)
	wantError(t, err, drydock.Denied, "identity puller (object id puller-object, client id puller-client) of task node-public in registry publicregistry")
}

func TestIdentitiesThatATaskDoesNotHave(t *testing.T) {
	t.Parallel()
	w := newWorld()
	gone := assigned
	gone.Names = []string{"gone"}
	w.policies[system.ID], w.policies[puller.ID] = true, true
	w.identities[task.Key()] = drydock.Identities{Resource: task, Missing: []drydock.ResourceID{gone}}
	k := w.keyring()
	for name, words := range map[string][]string{
		"[system]": {
			"task node-public in registry publicregistry does not have an identity of its own",
			"az acr task identity assign --registry publicregistry --name node-public --identities [system]",
		},
		"puller-client": {"does not have the user-assigned identity puller-client"},
		gone.String():   {"was deleted", gone.String()},
	} {
		_, err := k.Secret(t.Context(), use(name), userSecret)
		wantError(t, err, drydock.NotFound, words...)
		_, err = k.Login(t.Context(), use(name), "contoso.azurecr.cn")
		wantError(t, err, drydock.NotFound, words...)
	}
	_, err := k.Secret(t.Context(), drydock.IdentityUse{Name: "[system]", Run: &run}, userSecret)
	wantError(t, err, drydock.Invalid, "the run has no identities")
	_, err = k.Secret(t.Context(), use(""), userSecret)
	wantError(t, err, drydock.Invalid, userSecret, "--use-identity [system]")
	if len(w.readers) > 0 {
		t.Errorf("the vault was asked as %+v", w.readers)
	}
}

func TestRegistriesAreOpenedByIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keyring()
	_, err := k.Login(t.Context(), use("[system]"), "contoso.azurecr.cn")
	wantError(t, err, drydock.Denied, "[system] of task node-public", "may not pull from registry contoso", auth.PullAction,
		"az role assignment create --assignee-object-id system-object --assignee-principal-type ServicePrincipal --role AcrPull --scope /subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/contoso")
	contoso, err := w.RegistryAt(t.Context(), "contoso.azurecr.cn")
	if err != nil {
		t.Fatal(err)
	}
	w.roles = []drydock.RoleAssignment{{Scope: contoso, Role: auth.AcrPullRole, Principal: system.ID}}
	c, err := k.Login(t.Context(), use("[system]"), "contoso.azurecr.cn")
	want := drydock.Credential{Registry: "contoso.azurecr.cn", Username: "00000000-0000-0000-0000-000000000000", Password: "token of system-object in ca1 for contoso and 1h0m0s"}
	if err != nil || c != want {
		t.Errorf("%+v: %v", c, err)
	}
	_, err = k.Login(t.Context(), use("[system]"), "other.azurecr.cn")
	wantError(t, err, drydock.Denied, "registry other")
	_, err = k.Login(t.Context(), use("[system]"), "docker.io")
	wantError(t, err, drydock.NotFound, "docker.io", "not a registry of this server")
}

func TestWhoAskedForARunOpensItsRegistry(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keyring()
	asked := func(by string) drydock.IdentityUse {
		return drydock.IdentityUse{Name: "[caller]", Caller: by, Run: &run}
	}
	_, err := k.Login(t.Context(), asked("sp-object"), "publicregistry.azurecr.cn")
	wantError(t, err, drydock.Denied, "ci (object id sp-object), who asked for the run, may not pull from registry publicregistry")
	w.roles = []drydock.RoleAssignment{{Scope: registry, Role: auth.AcrPushRole, Principal: "sp-object"}}
	c, err := k.Login(t.Context(), asked("sp-object"), "publicregistry.azurecr.cn")
	if err != nil || c.Password != "token of sp-object in ca1 for publicregistry and 1h0m0s" {
		t.Errorf("%+v: %v", c, err)
	}
	_, err = k.Login(t.Context(), asked("gone"), "publicregistry.azurecr.cn")
	wantError(t, err, drydock.Denied, "who asked for the run (object id gone) was deleted")
	_, err = k.Login(t.Context(), asked(""), "publicregistry.azurecr.cn")
	wantError(t, err, drydock.Invalid, "nobody asked for the run")

	// A task can't read what those may read who run it.
	w.policies["sp-object"] = true
	_, err = k.Secret(t.Context(), asked("sp-object"), userSecret)
	if wantError(t, err, drydock.Invalid, "can't be read as [caller]"); len(w.readers) > 0 {
		t.Errorf("the vault was asked as %+v", w.readers)
	}
}

func TestTheServerUsesCredentialsOfTasks(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keyring()
	vaulted := drydock.SecretValue{Value: userSecret, Vault: true}
	plain := drydock.RunCredential{Registry: "docker.io", Username: drydock.SecretValue{Value: "me"}, Password: drydock.SecretValue{Value: "hush"}}
	mixed := drydock.RunCredential{Registry: "docker.io", Username: vaulted, Password: drydock.SecretValue{Value: "hush"}, Identity: "[system]"}
	login := drydock.RunCredential{Registry: "contoso.azurecr.cn", Identity: "[system]"}
	open := func(c drydock.RunCredential, want drydock.Credential) {
		t.Helper()
		if got, err := k.Open(t.Context(), task, c); got != want || err != nil {
			t.Errorf("%+v: %v", got, err)
		}
	}
	open(plain, drydock.Credential{Registry: "docker.io", Username: "me", Password: "hush"})
	for _, c := range []drydock.RunCredential{mixed, login} {
		got, err := k.Open(t.Context(), task, c)
		if wantError(t, err, drydock.Denied, "[system] of task node-public"); got != (drydock.Credential{}) {
			t.Errorf("there is %+v beside the error", got)
		}
	}
	w.policies[system.ID] = true
	open(mixed, drydock.Credential{Registry: "docker.io", Username: "me", Password: "hush"})
	if reader := w.readers[len(w.readers)-1]; reader.ID != system.ID || reader.Run != nil {
		t.Errorf("the vault is told of %+v", reader)
	}
	contoso, err := w.RegistryAt(t.Context(), login.Registry)
	if err != nil {
		t.Fatal(err)
	}
	w.roles = []drydock.RoleAssignment{{Scope: contoso, Role: auth.AcrPullRole, Principal: system.ID}}
	open(login, drydock.Credential{
		Registry: "contoso.azurecr.cn", Username: "00000000-0000-0000-0000-000000000000", Password: "token of system-object in no run for contoso and 1h0m0s",
	})
}

func TestGroupsPullAsTheirIdentities(t *testing.T) {
	t.Parallel()
	w := newWorld()
	k := w.keyring()
	group := drydock.ResourceID{
		Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerInstance", Types: []string{"containerGroups"}, Names: []string{"page"},
	}
	_, err := k.GroupLogin(t.Context(), group, assigned, "contoso.azurecr.cn")
	wantError(t, err, drydock.Denied, "identity puller (object id puller-object, client id puller-client) of container group page", "may not pull from registry contoso",
		"az role assignment create --assignee-object-id puller-object")
	contoso, err := w.RegistryAt(t.Context(), "contoso.azurecr.cn")
	if err != nil {
		t.Fatal(err)
	}
	w.roles = []drydock.RoleAssignment{{Scope: contoso, Role: auth.AcrPullRole, Principal: puller.ID}}
	c, err := k.GroupLogin(t.Context(), group, assigned, "contoso.azurecr.cn")
	if err != nil || c.Password != "token of puller-object in no run for contoso and 1h0m0s" {
		t.Errorf("%+v: %v", c, err)
	}
	gone := assigned
	gone.Names = []string{"gone"}
	_, err = k.GroupLogin(t.Context(), group, gone, "contoso.azurecr.cn")
	wantError(t, err, drydock.NotFound, "was deleted", gone.String())
}
