package storetest

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var principalTests = map[string]func(*testing.T, Store){
	"kept":    principalKept,
	"owned":   principalOwned,
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
