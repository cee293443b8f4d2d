package storetest

import (
	"testing"

	"github.com/drydockhq/drydock"
)

var roleTests = map[string]func(*testing.T, Store){
	"kept":    roleKept,
	"deleted": roleDeleted,
}

func putRoles(t *testing.T, s Store) []drydock.RoleAssignment {
	t.Helper()
	roles := []drydock.RoleAssignment{ // in the order of their scopes and ids
		{ID: "5", Scope: mustID("/subscriptions/0000"), Role: "owner", Principal: "ann", Created: day},
		{ID: "1", Scope: group, Role: "reader", Principal: "ann"},
		{ID: "2", Scope: group, Role: "reader", Principal: "bob"},
		{ID: "1", Scope: registry, Role: "push", Principal: "bob"},
		{ID: "1", Scope: mustID(registry.String() + "0"), Role: "push", Principal: "bob"},
	}
	for _, i := range []int{3, 1, 4, 0, 2} {
		check(t, s.PutRoleAssignment(t.Context(), roles[i]))
	}
	return roles
}

func roleKept(t *testing.T, s Store) {
	roles := putRoles(t, s)
	lowScope := roles[3]
	lowScope.Scope = mustID(registry.Key())
	check(t, s.PutRoleAssignment(t.Context(), lowScope))
	for name, c := range map[string]struct {
		filter drydock.RoleFilter
		want   []drydock.RoleAssignment
	}{
		"all":              {drydock.RoleFilter{}, roles},
		"of ann":           {drydock.RoleFilter{Principal: "ann"}, roles[:2]},
		"in the group":     {drydock.RoleFilter{Below: mustID(group.Key())}, roles[1:]},
		"on the registry":  {drydock.RoleFilter{Below: registry}, roles[3:4]},
		"bob in the group": {drydock.RoleFilter{Principal: "bob", Below: group}, roles[2:]},
		"of nobody":        {drydock.RoleFilter{Principal: "eve"}, nil},
	} {
		got, err := s.RoleAssignments(t.Context(), c.filter)
		check(t, err)
		same(t, name, got, c.want)
	}
	twin := roles[1]
	twin.ID = "9"
	wantCode(t, "the same under another id", s.PutRoleAssignment(t.Context(), twin), drydock.Conflict)
	roles[1].Role = "contributor"
	check(t, s.PutRoleAssignment(t.Context(), roles[1]))
	got, err := s.RoleAssignments(t.Context(), drydock.RoleFilter{Principal: "ann"})
	check(t, err)
	same(t, "replaced", got, roles[:2])
}

func roleDeleted(t *testing.T, s Store) {
	roles := putRoles(t, s)
	wantCode(t, "none", s.DeleteRoleAssignment(t.Context(), other, "1"), drydock.NotFound)
	check(t, s.DeleteRoleAssignment(t.Context(), mustID(group.Key()), "2"))
	got, err := s.RoleAssignments(t.Context(), drydock.RoleFilter{Below: group})
	check(t, err)
	same(t, "but one", got, append(roles[1:2:2], roles[3:]...))
	check(t, s.DeleteRoleAssignments(t.Context(), registry))
	got, err = s.RoleAssignments(t.Context(), drydock.RoleFilter{Below: group})
	check(t, err)
	same(t, "without the registry's", got, append(roles[1:2:2], roles[4]))
	check(t, s.DeleteRoleAssignments(t.Context(), registry))
}
