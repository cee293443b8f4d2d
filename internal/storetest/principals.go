package storetest

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var principalTests = map[string]func(*testing.T, Store){
	"kept":    principalKept,
	"owned":   principalOwned,
	"people":  principalPeople,
	"deleted": principalDeleted,
}

func principalKept(t *testing.T, s Store) {
	p := drydock.Principal{
		ID: "oid", AppID: "app", Kind: drydock.ServicePrincipal, Name: "Pipeline ü", Created: day,
		Secrets: []drydock.PrincipalSecret{
			{ID: "z", Name: "first", Hash: "h1", Created: day},
			{ID: "a", Hash: "h2", Created: day, Expires: day.Add(time.Hour)},
		},
	}
	_, err := s.Principal(t.Context(), p.ID)
	wantCode(t, "before", err, drydock.NotFound)
	check(t, s.PutPrincipal(t.Context(), p))
	got, err := s.Principal(t.Context(), p.ID)
	check(t, err)
	same(t, "by id", got, p)
	got, err = s.PrincipalByAppID(t.Context(), p.AppID)
	check(t, err)
	same(t, "by client id", got, p)

	p.Name, p.AppID, p.Secrets = "Renamed", "app2", p.Secrets[1:]
	check(t, s.PutPrincipal(t.Context(), p))
	got, err = s.PrincipalByAppID(t.Context(), "app2")
	check(t, err)
	same(t, "replaced", got, p)
	_, err = s.PrincipalByAppID(t.Context(), "app")
	wantCode(t, "its former client id", err, drydock.NotFound)

	err = s.PutPrincipal(t.Context(), drydock.Principal{ID: "oid2", AppID: "app2"})
	wantCode(t, "a client id that is taken", err, drydock.Conflict)
}

func principalPeople(t *testing.T, s Store) {
	alice := drydock.Principal{
		ID: "a", Kind: drydock.User, Name: "Alice", Created: day, Secrets: []drydock.PrincipalSecret{{ID: "z", Hash: "h", Created: day}},
		Person: &drydock.Person{Login: "alice@x.test", MustChange: true},
	}
	carol := drydock.Principal{ID: "c", Kind: drydock.User, Name: "Carol", Created: day, Person: &drydock.Person{Login: "carol@x.test", Issuer: "https://id.test", Disabled: true}}
	group := drydock.Principal{ID: "g", Kind: drydock.Group, Name: "staff", Created: day}
	for _, p := range []drydock.Principal{alice, carol, group} {
		check(t, s.PutPrincipal(t.Context(), p))
	}
	for _, want := range []drydock.Principal{alice, carol} {
		got, err := s.PrincipalByLogin(t.Context(), want.Person.Login)
		check(t, err)
		same(t, want.Person.Login, got, want)
	}
	all, err := s.Principals(t.Context(), drydock.ResourceID{})
	check(t, err)
	same(t, "all", all, []drydock.Principal{alice, carol, group})
	_, err = s.PrincipalByLogin(t.Context(), "bob@x.test")
	wantCode(t, "nobody", err, drydock.NotFound)

	taken := carol
	taken.Person = &drydock.Person{Login: alice.Person.Login}
	wantCode(t, "a login that is taken", s.PutPrincipal(t.Context(), taken), drydock.Conflict)
	got, err := s.Principal(t.Context(), carol.ID)
	check(t, err)
	same(t, "after a login that is taken", got, carol)

	alice.Person = &drydock.Person{Login: "alice@y.test"}
	check(t, s.PutPrincipal(t.Context(), alice))
	got, err = s.PrincipalByLogin(t.Context(), "alice@y.test")
	check(t, err)
	same(t, "by another login", got, alice)
	check(t, s.DeletePrincipal(t.Context(), alice.ID))
	_, err = s.PrincipalByLogin(t.Context(), "alice@y.test")
	wantCode(t, "deleted", err, drydock.NotFound)
	check(t, s.PutPrincipal(t.Context(), taken))
}

func principalOwned(t *testing.T, s Store) {
	task := drydock.Principal{ID: "1", AppID: "1", Kind: drydock.ManagedIdentity, Owner: registry.Child("tasks", "Build")}
	near := drydock.Principal{ID: "0", AppID: "0", Kind: drydock.ManagedIdentity, Owner: mustID(registry.String() + "0")}
	none := drydock.Principal{ID: "2", AppID: "2"}
	for _, p := range []drydock.Principal{none, task, near} {
		check(t, s.PutPrincipal(t.Context(), p))
	}
	for _, c := range []struct {
		owner drydock.ResourceID
		want  []drydock.Principal
	}{
		{drydock.ResourceID{}, []drydock.Principal{near, task, none}},
		{group, []drydock.Principal{near, task}},
		{mustID(registry.Key()), []drydock.Principal{task}},
		{task.Owner, []drydock.Principal{task}},
		{other, nil},
	} {
		got, err := s.Principals(t.Context(), c.owner)
		check(t, err)
		same(t, "principals of "+c.owner.Name(), got, c.want)
	}
}

func principalDeleted(t *testing.T, s Store) {
	wantCode(t, "none", s.DeletePrincipal(t.Context(), "1"), drydock.NotFound)
	for _, id := range []string{"1", "2"} {
		check(t, s.PutPrincipal(t.Context(), drydock.Principal{
			ID: id, AppID: id, Secrets: []drydock.PrincipalSecret{{ID: "s"}},
		}))
		check(t, s.PutRoleAssignment(t.Context(), drydock.RoleAssignment{ID: id, Scope: group, Role: "r", Principal: id}))
	}
	check(t, s.DeletePrincipal(t.Context(), "1"))
	_, err := s.Principal(t.Context(), "1")
	wantCode(t, "after", err, drydock.NotFound)
	roles, err := s.RoleAssignments(t.Context(), drydock.RoleFilter{})
	check(t, err)
	same(t, "role assignments", roles, []drydock.RoleAssignment{{ID: "2", Scope: group, Role: "r", Principal: "2"}})
}
