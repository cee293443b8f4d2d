package main

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/oci"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// A run has no login in place of its own when that can't be made, and not its own
// either.
func TestLoginsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	id := drydock.ResourceID{Subscription: "s", Group: "g", Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"contoso"}}
	for _, id := range []drydock.ResourceID{{Subscription: id.Subscription}, {Subscription: id.Subscription, Group: id.Group}, id} {
		if _, err := store.PutResource(t.Context(), drydock.Resource{ID: id, Body: []byte("{}")}, ""); err != nil {
			t.Fatal(err)
		}
	}
	d := &daemon{store: store, names: hostNames{"drydock.test", 8443}, subscription: id.Subscription}
	var trouble error
	login := d.loginsOf(drydock.RunKey{}, func(_ drydock.ResourceID, _ drydock.RunKey, token string) (string, error) {
		return token + " of steps", trouble
	})
	want := func(host, user, password string, wrong func(error) bool) {
		t.Helper()
		c := drydock.Credential{Registry: host, Username: user, Password: "own"}
		got, err := login(t.Context(), c)
		if !wrong(err) || err == nil && got.Password != password || err != nil && got != (drydock.Credential{}) {
			t.Errorf("%s: %+v, %v", host, got, err)
		}
	}
	fine := func(err error) bool { return err == nil }
	missing := func(err error) bool { return drydock.CodeOf(err) == drydock.NotFound }
	failed := func(err error) bool { return err != nil && !missing(err) }

	const here, gone = "contoso.azurecr.drydock.test:8443", "gone.azurecr.drydock.test:8443"
	want(here, oci.TokenUser, "own of steps", fine)
	want("contoso.azurecr.io", oci.TokenUser, "own of steps", fine)
	want(here, "somebody", "own", fine)
	want("gone.azurecr.io", oci.TokenUser, "own", fine) // it is somebody else's
	want(gone, oci.TokenUser, "", missing)
	trouble = errors.New("there is no key")
	want(here, oci.TokenUser, "", func(err error) bool { return errors.Is(err, trouble) })
	trouble = nil
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	want(here, oci.TokenUser, "", failed)
	want("contoso.azurecr.io", oci.TokenUser, "", failed)
}
