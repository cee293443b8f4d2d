package cli

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

const authorizationPath = "/providers/Microsoft.Authorization"

// scopeFlags say what roles are about.
type scopeFlags struct{ scope, group string }

func (s *scopeFlags) define(f *flags) {
	f.StringVar(&s.scope, "scope", "", "id of a subscription, a group or a registry (default: the subscription)")
	f.StringVarP(&s.group, "resource-group", "g", "", "name of a resource group, instead of --scope")
}

// path returns the scope: by default the subscription.
func (s *scopeFlags) path(c *call, a *api) (string, error) {
	switch {
	case s.scope != "" && s.group != "":
		return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "--scope and --resource-group exclude each other"))
	case s.scope != "":
		return checkedScope(c, "--scope", s.scope)
	case s.group != "":
		return a.base + "/resourceGroups/" + escape(s.group), nil
	}
	return a.base, nil
}

var scopeForm = regexp.MustCompile(`(?i)^/subscriptions/[^/]+(/resourceGroups/[^/]+(/providers/[^/]+(/[^/]+/[^/]+)+)?)?$`)

// checkedScope returns a scope with one slash before it and none after it.
func checkedScope(c *call, flag, text string) (string, error) {
	scope := "/" + strings.Trim(text, "/")
	if !scopeForm.MatchString(scope) {
		return "", usageError(c.cmd, drydock.Errorf(drydock.Invalid, "argument %s: %q is not an id", flag, text).
			WithHint("%s acr show -n NAME --query id shows that of a registry", c.Name))
	}
	return scope, nil
}

// grant is a role on a scope.
type grant struct{ role, scope string } // ids

var roleIDForm = regexp.MustCompile(`(?i)^(/subscriptions/[^/]+)?/providers/Microsoft\.Authorization/roleDefinitions/[^/]+$`)

// grants looks up a role on each of some scopes.
func (a *api) grants(c *call, role string, scopes []string) ([]grant, error) {
	var all []grant
	for _, scope := range scopes {
		scope, err := checkedScope(c, "--scopes", scope)
		if err != nil {
			return nil, err
		}
		id, err := a.roleID(c, role, scope)
		if err != nil {
			return nil, err
		}
		all = append(all, grant{id, scope})
	}
	return all, nil
}

// roleID returns the id of a role that is named by its id, its GUID or its name.
func (a *api) roleID(c *call, role, scope string) (string, error) {
	if guidForm.MatchString(role) || roleIDForm.MatchString(role) {
		return a.base + authorizationPath + "/roleDefinitions/" + lastPart(role), nil
	}
	found, err := a.roles(c, scope, "roleName eq "+quote(role))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", drydock.Errorf(drydock.NotFound, "there is no role %q", role).WithHint("%s role definition list shows them", c.Name)
	}
	return text(found[0], "id"), nil
}

// roles returns the roles that can be given on a scope.
func (a *api) roles(c *call, scope, filter string) ([]any, error) {
	r := request{path: scope + authorizationPath + "/roleDefinitions", version: rolesVersion}
	if filter != "" {
		r.query = url.Values{"$filter": {filter}}
	}
	return a.list(c.ctx, r, 0)
}

// assignment is a role for somebody.
type assignment struct {
	grant
	principal string // object id
	kind      string // of the principal; a service principal if it is empty
	name      string // a GUID, a new one if it is empty
}

// assign gives a principal a role.
func (a *api) assign(c *call, w assignment) (object, error) {
	if w.name == "" {
		w.name = uuid.NewString()
	}
	if w.kind == "" {
		w.kind = "ServicePrincipal"
	}
	return a.do(c.ctx, request{
		method: http.MethodPut, path: w.scope + authorizationPath + "/roleAssignments/" + escape(w.name), version: rolesVersion,
		body: object{"properties": object{"roleDefinitionId": w.role, "principalId": w.principal, "principalType": w.kind}},
	})
}

// isAssigned reports that an error says that somebody has a role already.
func isAssigned(err error) bool {
	answer, ok := asAnswer(err)
	return ok && answer.ErrorCode == "RoleAssignmentExists"
}

// isDenied reports that an error says that somebody may not do something.
func isDenied(err error) bool {
	answer, ok := asAnswer(err)
	return ok && answer.StatusCode == http.StatusForbidden
}

func asAnswer(err error) (answer *azcore.ResponseError, ok bool) {
	return answer, errors.As(err, &answer)
}
