package arm_test

import (
	"net/http"
	"testing"

	"github.com/drydockhq/drydock/internal/auth"
)

// Who may write a vault, and may not give roles, can't let anybody into one that
// goes by roles alone.
func TestOnlyThoseWhoGiveRolesChangeHowAVaultLetsIn(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	vault := "/subscriptions/" + s.Subscription + "/resourceGroups/g/providers/Microsoft.KeyVault/vaults/byroles"
	if a := s.Do(t, s.token, http.MethodPut, vault, `{"location":"westeurope","properties":{}}`); a.Status != http.StatusCreated {
		t.Fatalf("%d %v", a.Status, a.Body)
	}
	writer := s.Token(t, s.Principal(t, auth.ContributorRole, s.Scope("g")))
	set := func(token, method, properties string, want int) {
		t.Helper()
		a := s.Do(t, token, method, vault, `{"location":"westeurope","properties":{`+properties+`}}`)
		if a.Status != want || want == http.StatusForbidden && a.Code() != "AuthorizationFailed" {
			t.Errorf("%s %s: %d %v", method, properties, a.Status, a.Body)
		}
	}
	const byRoles, byPolicies, policy = `"enableRbacAuthorization":true`, `"enableRbacAuthorization":false`,
		`"accessPolicies":[{"objectId":"11111111-1111-1111-1111-111111111111","permissions":{"secrets":["get"]}}]`
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		set(writer, method, byRoles, http.StatusForbidden)
		set(writer, method, policy, http.StatusOK)
		set(s.token, method, byRoles, http.StatusOK)
		set(writer, method, byPolicies, http.StatusForbidden)
		set(writer, method, byPolicies+","+policy, http.StatusForbidden)
		set(writer, method, byRoles, http.StatusOK)
		if a := s.Do(t, s.token, http.MethodGet, vault, ""); a.At("properties.enableRbacAuthorization") != true {
			t.Errorf("after %s the vault goes by policies: %v", method, a.Body)
		}
		set(s.token, method, byPolicies, http.StatusOK)
	}
}

// A vault whose secrets the operator keeps elsewhere is opened by who may give
// roles on everything, and not by whoever is first to take its name.
func TestOnlyOwnersOpenVaultsOfStoresElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	vault := "/subscriptions/" + s.Subscription + "/resourceGroups/g/providers/Microsoft.KeyVault/vaults/"
	for _, role := range []string{auth.ContributorRole, auth.OwnerRole} {
		token := s.Token(t, s.Principal(t, role, s.Scope("g")))
		if a := s.Do(t, token, http.MethodPut, vault+"Elsewhere", `{"location":"westeurope","properties":{}}`); a.Status != http.StatusForbidden || a.Code() != "AuthorizationFailed" {
			t.Errorf("%d %v", a.Status, a.Body)
		}
	}
	token := s.Token(t, s.Principal(t, auth.ContributorRole, s.Scope("g")))
	if a := s.Do(t, token, http.MethodPut, vault+"ordinary", `{"location":"westeurope","properties":{}}`); a.Status != http.StatusCreated {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodPut, vault+"Elsewhere", `{"location":"westeurope","properties":{}}`); a.Status != http.StatusCreated {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodDelete, vault+"Elsewhere", ""); a.Status != http.StatusOK {
		t.Errorf("%d %v", a.Status, a.Body)
	}
	if a := s.Do(t, token, http.MethodPut, vault+"Elsewhere", `{"location":"westeurope","properties":{"createMode":"recover"}}`); a.Status != http.StatusForbidden {
		t.Errorf("recovering: %d %v", a.Status, a.Body)
	}
}
