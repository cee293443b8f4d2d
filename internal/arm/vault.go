package arm

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// guidForm is how tenants, principals and applications are named.
var guidForm = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

var vaultFields = slices.Concat(
	kinds(anObject, "properties", "tags", "properties.sku", "properties.accessPolicies[]", "properties.accessPolicies[].permissions", "properties.networkAcls"),
	kinds(aString, "tags{}"),
	kinds(aList, "properties.accessPolicies", "properties.accessPolicies[].permissions.secrets", "properties.accessPolicies[].permissions.keys", "properties.accessPolicies[].permissions.certificates"),
	kinds(aBool, "properties.enabledForDeployment", "properties.enabledForDiskEncryption", "properties.enabledForTemplateDeployment",
		"properties.enableSoftDelete", "properties.enableRbacAuthorization", "properties.enablePurgeProtection"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90},
		{path: "properties.tenantId", kind: aString, form: guidForm},
		{path: "properties.accessPolicies[].tenantId", kind: aString, form: guidForm},
		{path: "properties.accessPolicies[].objectId", kind: aString, form: guidForm, required: true},
		{path: "properties.accessPolicies[].applicationId", kind: aString, form: guidForm},
		{path: "properties.accessPolicies[].permissions", kind: anObject, required: true},
		anyOf("properties.accessPolicies[].permissions.secrets[]", "all", "get", "list", "set", "delete", "backup", "restore", "recover", "purge"),
		anyOf("properties.sku.name", "standard", "premium"),
		anyOf("properties.createMode", "default", "recover"),
		{path: "properties.softDeleteRetentionInDays", kind: anInt, min: 7, max: 90},
	},
)

// computedOfVault are the properties that only the server sets, or that are of
// one request.
var computedOfVault = []string{"vaultUri", "provisioningState", "hsmPoolResourceId", "privateEndpointConnections", "createMode"}

func (s *Server) vaultAnswer(req *request, status int, st *stored) (*answer, error) {
	return st.answer(status, s.vaultDoc(req, st)), nil
}

func (s *Server) showVault(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.vaultAnswer(req, http.StatusOK, st)
}

func (s *Server) listVaults(req *request) (*answer, error) {
	return s.listOf(req, vaultType, func(_ context.Context, st *stored) (object, error) { return s.vaultDoc(req, st), nil })
}

func (s *Server) putVault(req *request) (*answer, error) {
	st, status, err := s.putAs(req, vaultFields, func(st *stored, next object) error {
		if err := refuseForeign(next, foreignToVaults); err != nil {
			return err
		}
		if !st.exists() {
			return s.newVault(req, st, next)
		}
		return s.takeVault(req, st, next)
	})
	if err != nil {
		if status == http.StatusCreated && drydock.CodeOf(err) == drydock.Conflict {
			return nil, vaultInUse(req.scope.Name())
		}
		return nil, err
	}
	if status == http.StatusCreated && s.c.OnCreate != nil {
		s.c.OnCreate(req.Context(), st.Resource)
	}
	return s.vaultAnswer(req, status, st)
}

// newVault makes a vault of a client's document, or gives back one that was
// deleted.
func (s *Server) newVault(req *request, st *stored, next object) error {
	st.GlobalName = true
	if err := s.mayOpenStore(req, st.ID.Name()); err != nil {
		return err
	}
	if strings.EqualFold(text(next, "properties.createMode"), "recover") {
		return s.recoverVault(req, st)
	}
	if err := s.vaultNameFree(req.Context(), st.ID.Name()); err != nil {
		return err
	}
	if err := st.takeLocation(next, ""); err != nil {
		return err
	}
	st.ours["vault"] = s.c.NewID()
	// Clients of today ask for roles and go on to set policies, which can't both be;
	// who asks for roles on purpose does so of a vault that is there. The creator
	// gets in by a policy, as from clients that ask for policies.
	properties := child(next, "properties")
	if flag(next, "properties.enableRbacAuthorization", false) && len(list(next, "properties.accessPolicies")) == 0 {
		properties["enableRbacAuthorization"] = false
		properties["accessPolicies"] = []any{object{
			"tenantId": s.c.Authority.Tenant(), "objectId": req.principal.ID,
			"permissions": object{"keys": []any{"all"}, "secrets": []any{"all"}, "certificates": []any{"all"}, "storage": []any{"all"}},
		}}
	}
	return s.takeVault(req, st, next)
}

// mayOpenStore checks that who makes a vault whose secrets are there before it, and
// are the operator's, may give roles on all that there is: its creator reads them.
func (s *Server) mayOpenStore(req *request, name string) error {
	const action = roleAssignmentType + "/write"
	everything := s.subscriptionScope()
	if s.c.ElsewhereVault == nil || !s.c.ElsewhereVault(strings.ToLower(name)) || req.rights.Allow(action, everything) {
		return nil
	}
	return auth.Forbidden(req.principal, action, everything)
}

// takeVault puts what a client sent into a vault. What it leaves out stays.
func (s *Server) takeVault(req *request, st *stored, next object) error {
	if err := st.takeLocation(next, ""); err != nil {
		return err
	}
	withoutComputed(next, computedOfVault...)
	properties := child(next, "properties")
	for _, key := range []string{"accessPolicies", "enableRbacAuthorization", "enablePurgeProtection", "softDeleteRetentionInDays"} {
		if old := at(st.doc, "properties."+key); properties[key] == nil && old != nil {
			properties[key] = old
		}
	}
	if err := checkVault(st, next); err != nil {
		return err
	}
	if err := req.mayGovern(st, next); err != nil {
		return err
	}
	st.doc = next
	return s.ownPolicies(st)
}

// mayGovern checks, as in Azure, that who changes whether roles alone let into a
// vault may give roles: whoever may write vaults could let anybody in otherwise.
func (req *request) mayGovern(st *stored, next object) error {
	const model = "properties.enableRbacAuthorization"
	const action = roleAssignmentType + "/write"
	if !st.exists() || flag(st.doc, model, false) == flag(next, model, false) || req.rights.Allow(action, st.ID) {
		return nil
	}
	return auth.Forbidden(req.principal, action, st.ID)
}

// checkVault refuses what can't be undone or was never so.
func checkVault(st *stored, next object) error {
	if flag(st.doc, "properties.enablePurgeProtection", false) && !flag(next, "properties.enablePurgeProtection", false) {
		return badRequest("BadRequest", "The property \"enablePurgeProtection\" cannot be set to false: once it is on it stays on.").about("properties.enablePurgeProtection")
	}
	if !flag(next, "properties.enableSoftDelete", true) {
		return badRequest("BadRequest", "The property \"enableSoftDelete\" cannot be set to false: what is deleted can always be recovered.").about("properties.enableSoftDelete")
	}
	old, days := number(st.doc, "properties.softDeleteRetentionInDays", 0), number(next, "properties.softDeleteRetentionInDays", 0)
	if old != 0 && days != old {
		return badRequest("BadRequest", "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.").about("properties.softDeleteRetentionInDays")
	}
	if old == 0 && days == 0 {
		child(next, "properties")["softDeleteRetentionInDays"] = json.Number("90")
	}
	return nil
}

// ownPolicies fills in the tenant where a policy names none, and refuses others.
func (s *Server) ownPolicies(st *stored) error {
	tenant := s.c.Authority.Tenant()
	for _, e := range list(st.doc, "properties.accessPolicies") {
		policy, _ := e.(object)
		switch given := text(policy, "tenantId"); {
		case given == "":
			policy["tenantId"] = tenant
		case !strings.EqualFold(given, tenant):
			return badRequest("BadRequest", "The access policy is for the tenant '%s'; this server has only the tenant '%s'.", given, tenant).about("properties.accessPolicies")
		}
	}
	return nil
}

func (s *Server) patchVault(req *request) (*answer, error) {
	st, err := s.patchAs(req, vaultFields, func(st *stored, next object) error {
		if err := refuseForeign(next, foreignToVaults); err != nil {
			return err
		}
		tags, tagged := next["tags"]
		delete(next, "tags")
		merged := merge(st.doc, next)
		if tagged {
			merged["tags"] = tags
		}
		return s.takeVault(req, st, merged)
	})
	if err != nil {
		return nil, err
	}
	return s.vaultAnswer(req, http.StatusOK, st)
}
