package auth_test

import (
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

const acr = "Microsoft.ContainerRegistry/registries"

func TestRoles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		role   string
		allows []string
		denies []string
	}{
		{auth.OwnerRole, []string{acr + "/write", "Microsoft.Authorization/roleAssignments/write", "x"}, nil},
		{
			auth.ContributorRole,
			[]string{acr + "/write", acr + "/scheduleRun/action", "Microsoft.Authorization/roleAssignments/read"},
			[]string{"Microsoft.Authorization/roleAssignments/write", "microsoft.authorization/roleassignments/DELETE"},
		},
		{
			auth.ReaderRole,
			[]string{acr + "/read", acr + "/runs/read", acr + "/pull/read", "Microsoft.Resources/subscriptions/resourceGroups/READ"},
			[]string{acr + "/write", acr + "/scheduleRun/action", acr + "/listCredentials/action", acr + "/push/write", "read"},
		},
		{auth.AcrPullRole, []string{acr + "/pull/read"}, []string{acr + "/push/write", acr + "/read", acr + "/pull/read/x"}},
		{auth.AcrPushRole, []string{acr + "/pull/read", acr + "/push/write"}, []string{acr + "/artifacts/delete", acr + "/write"}},
		{auth.AcrDeleteRole, []string{acr + "/artifacts/delete"}, []string{acr + "/pull/read", acr + "/delete"}},
	} {
		role, ok := auth.RoleByID(test.role)
		if !ok {
			t.Fatalf("no role %s", test.role)
		}
		for _, action := range test.allows {
			if !role.Allows(action) {
				t.Errorf("%s does not allow %s", role.Name, action)
			}
		}
		for _, action := range test.denies {
			if role.Allows(action) {
				t.Errorf("%s allows %s", role.Name, action)
			}
		}
	}
}

func TestScopes(t *testing.T) {
	t.Parallel()
	one, ten := registryID("reg1"), registryID("reg10")
	group := one.Parent()
	sub := group.Parent()
	other := drydock.ResourceID{Subscription: subscription, Group: "g2"}
	for name, test := range map[string]struct {
		scope     drydock.ResourceID
		allows    []drydock.ResourceID
		denies    []drydock.ResourceID
		somewhere []drydock.ResourceID
	}{
		"subscription": {sub, []drydock.ResourceID{sub, group, one, ten, other}, nil, nil},
		"group":        {group, []drydock.ResourceID{group, one, one.Child("tasks", "t")}, []drydock.ResourceID{sub, other}, []drydock.ResourceID{sub}},
		"registry":     {one, []drydock.ResourceID{one, one.Child("tasks", "t")}, []drydock.ResourceID{sub, group, ten}, []drydock.ResourceID{sub, group}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore()
			p := drydock.Principal{ID: "p"}
			if err := s.PutRoleAssignment(t.Context(), drydock.RoleAssignment{Scope: test.scope, Role: auth.ReaderRole, Principal: "p"}); err != nil {
				t.Fatal(err)
			}
			rights, err := auth.RightsOf(t.Context(), s, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, scope := range test.allows {
				if err := auth.Authorize(t.Context(), s, p, acr+"/read", scope); err != nil {
					t.Error(err)
				}
			}
			for _, scope := range test.denies {
				if err := auth.Authorize(t.Context(), s, p, acr+"/read", scope); drydock.CodeOf(err) != drydock.Denied {
					t.Errorf("%s: %v", scope, err)
				}
			}
			for _, scope := range test.somewhere {
				if !rights.AllowSomewhere(acr+"/read", scope) {
					t.Errorf("not somewhere in %s", scope)
				}
			}
			if rights.AllowSomewhere(acr+"/read", drydock.ResourceID{Subscription: tenant}) {
				t.Error("in another subscription")
			}
			if err := auth.Authorize(t.Context(), s, drydock.Principal{ID: "q"}, acr+"/read", test.scope); err == nil {
				t.Error("somebody else has the role")
			}
		})
	}
}
