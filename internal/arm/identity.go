package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

var identityFields = []field{
	{path: "identity", kind: anObject},
	anyOf("identity.type", "None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned"),
	{path: "identity.userAssignedIdentities", kind: anObject},
}

// takeIdentity takes out of a document what the server computes of an identity.
func (s *Server) takeIdentity(st *stored) error {
	identity, ok := st.doc["identity"].(object)
	if !ok {
		delete(st.doc, "identity")
		return nil
	}
	delete(identity, "principalId")
	delete(identity, "tenantId")
	if users, ok := identity["userAssignedIdentities"].(object); ok {
		for id := range users {
			if _, err := drydock.ParseResourceID(id); err != nil {
				return badRequest("InvalidRequestContent", "'%s' is not the id of a user-assigned identity.", shorten(id)).about("identity.userAssignedIdentities")
			}
		}
	}
	if kind := text(st.doc, "identity.type"); kind == "" || strings.EqualFold(kind, "None") {
		delete(st.doc, "identity")
	}
	return nil
}

func systemAssigned(doc object) bool {
	return strings.HasPrefix(strings.ToLower(text(doc, "identity.type")), "systemassigned")
}

// systemIdentity returns the principal of a resource's own identity.
func (s *Server) systemIdentity(ctx context.Context, id drydock.ResourceID) (drydock.Principal, bool, error) {
	found, err := s.c.Principals.Principals(ctx, id)
	if err != nil {
		return drydock.Principal{}, false, err
	}
	for _, p := range found {
		if p.Owner.Key() == id.Key() && p.Kind == drydock.ManagedIdentity {
			return p, true, nil
		}
	}
	return drydock.Principal{}, false, nil
}

// keepIdentity makes the principal of a stored resource's own identity, or
// deletes it, as the resource now has it.
func (s *Server) keepIdentity(ctx context.Context, st *stored) error {
	defer s.locks.lock("identity " + st.ID.Key())()
	p, there, err := s.systemIdentity(ctx, st.ID)
	switch {
	case err != nil:
		return err
	case systemAssigned(st.doc) == there:
		return nil
	case there:
		return s.c.Principals.DeletePrincipal(ctx, p.ID)
	}
	return s.c.Principals.PutPrincipal(ctx, drydock.Principal{
		ID: s.c.NewID(), AppID: s.c.NewID(), Kind: drydock.ManagedIdentity,
		Name: strings.Join(st.ID.Names, "/"), Owner: st.ID, Created: s.c.Now(),
	})
}

// showIdentity adds what the server knows of an identity to a document.
func (s *Server) showIdentity(ctx context.Context, st *stored, doc object) error {
	if !systemAssigned(doc) {
		return nil
	}
	p, there, err := s.systemIdentity(ctx, st.ID)
	if err != nil || !there {
		return err
	}
	identity := child(doc, "identity")
	identity["principalId"], identity["tenantId"] = p.ID, s.c.Authority.Tenant()
	return nil
}
