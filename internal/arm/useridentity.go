package arm

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

const (
	identityNamespace = "Microsoft.ManagedIdentity"
	userIdentityType  = identityNamespace + "/userAssignedIdentities"
	identitiesPath    = groupPath + "/providers/" + userIdentityType
)

// userIdentityName is Azure's rule.
var userIdentityName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$`)

var userIdentityFields = slices.Concat(
	kinds(anObject, "properties", "tags"), kinds(aString, "tags{}"),
	[]field{{path: "location", kind: aString, min: 1, max: 90}},
)

func (s *Server) userIdentityRoutes() []route {
	one := identitiesPath + "/{identityName}"
	return []route{
		{method: http.MethodGet, path: subPath + "/providers/" + userIdentityType, action: userIdentityType + "/read", somewhere: true, what: "List user-assigned identities.", handle: s.listUserIdentities},
		{method: http.MethodGet, path: identitiesPath, action: userIdentityType + "/read", somewhere: true, what: "List the user-assigned identities of a group.", handle: s.listUserIdentities},
		{method: http.MethodGet, path: one, action: userIdentityType + "/read", what: "Show a user-assigned identity.", handle: s.showUserIdentity},
		{method: http.MethodPut, path: one, action: userIdentityType + "/write", what: "Create or replace a user-assigned identity, which tasks can be given.", handle: s.putUserIdentity},
		{method: http.MethodPatch, path: one, action: userIdentityType + "/write", what: "Change the tags of a user-assigned identity.", handle: s.patchUserIdentity},
		{method: http.MethodDelete, path: one, action: userIdentityType + "/delete", what: "Delete a user-assigned identity with its roles. What it was assigned to can't use it any more.", handle: s.deleteResource},
	}
}

func isUserIdentity(id drydock.ResourceID) bool {
	return strings.EqualFold(id.Type(), userIdentityType)
}

func (s *Server) userIdentityDoc(ctx context.Context, st *stored) (object, error) {
	doc := st.envelope()
	fill(doc, object{"tags": object{}})
	p, there, err := s.systemIdentity(ctx, st.ID)
	if err != nil || !there {
		return doc, err
	}
	properties := child(doc, "properties")
	properties["principalId"], properties["clientId"], properties["tenantId"] = p.ID, p.AppID, s.c.Authority.Tenant()
	return doc, nil
}

func (s *Server) showUserIdentity(req *request) (*answer, error) {
	return s.showChild(req, s.userIdentityDoc)
}

func (s *Server) listUserIdentities(req *request) (*answer, error) {
	return s.listOf(req, userIdentityType, s.userIdentityDoc)
}

func (s *Server) putUserIdentity(req *request) (*answer, error) {
	st, status, err := s.putAs(req, userIdentityFields, func(st *stored, next object) error {
		if !st.exists() && !userIdentityName.MatchString(st.ID.Name()) {
			return badRequest("InvalidResourceName", "The name '%s' is invalid: it has 3 to 128 letters, digits, '-' and '_', and begins with a letter or a digit.", shorten(st.ID.Name()))
		}
		if err := st.takeLocation(next, ""); err != nil {
			return err
		}
		st.doc = object{}
		takeTags(st, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.userIdentityAnswer(req, status, st)
}

func (s *Server) patchUserIdentity(req *request) (*answer, error) {
	st, err := s.patchAs(req, userIdentityFields, func(st *stored, next object) error {
		takeTags(st, next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.userIdentityAnswer(req, http.StatusOK, st)
}

// takeTags puts the tags that a client sent into an identity.
func takeTags(st *stored, next object) {
	if tags, ok := next["tags"]; ok {
		st.doc["tags"] = tags
	}
}

// userIdentityAnswer makes the identity of a resource that was written known, and
// shows both.
func (s *Server) userIdentityAnswer(req *request, status int, st *stored) (*answer, error) {
	if err := s.keepIdentity(req.Context(), st); err != nil {
		return nil, err
	}
	shown, err := s.userIdentityDoc(req.Context(), st)
	if err != nil {
		return nil, err
	}
	return st.answer(status, shown), nil
}
