package cli

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// nameRoles adds the names of roles to assignments.
func (a *api) nameRoles(c *call, list []any) error {
	if len(list) == 0 {
		return nil
	}
	roles, err := a.roles(c, a.base, "")
	names := map[string]any{}
	for _, role := range roles {
		names[strings.ToLower(text(role, "name"))] = text(role, "properties", "roleName")
	}
	for _, item := range list {
		item.(object)["roleDefinitionName"] = names[strings.ToLower(lastPart(text(item, "roleDefinitionId")))]
	}
	return err
}

// namePrincipals adds the client ids of principals to assignments, as far as the
// directory may be asked.
func (a *api) namePrincipals(c *call, list []any) error {
	unique := map[string]bool{}
	for _, item := range list {
		unique[text(item, "principalId")] = true
		item.(object)["principalName"] = ""
	}
	g, err := a.session.graph()
	if err != nil {
		return err
	}
	names := map[string]any{}
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(unique)), maxIDs) {
		answer, err := g.do(c.ctx, request{
			method: http.MethodPost, path: g.base + "/directoryObjects/getByIds", body: object{"ids": ids, "types": []string{"user", "group", "servicePrincipal"}},
		})
		if isDenied(err) {
			return nil
		}
		if err != nil {
			return err
		}
		known, _ := answer["value"].([]any)
		for _, o := range known {
			names[text(o, "id")] = principalName(o)
		}
	}
	for _, item := range list {
		if name := names[text(item, "principalId")]; name != nil {
			item.(object)["principalName"] = name
		}
	}
	return nil
}

// principalName is what the Azure CLI shows a principal as: the client id of a
// service principal, the login of a user, the name of a group.
func principalName(o any) any {
	if name := at(o, "servicePrincipalNames", 0); name != nil {
		return name
	}
	if name := text(o, "userPrincipalName"); name != "" {
		return name
	}
	return text(o, "displayName")
}

// maxIDs is how many objects Graph can be asked for at once.
const maxIDs = 1000
