package arm

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

var identityFields = []field{
	{path: "identity", kind: anObject},
	anyOf("identity.type", "None", "SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "SystemAssigned,UserAssigned"),
	{path: "identity.userAssignedIdentities", kind: anObject},
	{path: "identity.userAssignedIdentities{}", kind: anObject},
}

// mostIdentities bounds the user-assigned identities of a resource.
const mostIdentities = 100

// takeIdentity takes out of a document what the server computes of an identity,
// and what its type says is not there.
func (s *Server) takeIdentity(st *stored) error {
	identity, ok := st.doc["identity"].(object)
	if !ok {
		delete(st.doc, "identity")
		return nil
	}
	delete(identity, "principalId")
	delete(identity, "tenantId")
	if !userAssigned(st.doc) {
		delete(identity, "userAssignedIdentities")
	} else if err := takeUserIdentities(identity); err != nil {
		return err
	}
	if kind := text(st.doc, "identity.type"); kind == "" || strings.EqualFold(kind, "None") {
		delete(st.doc, "identity")
	}
	return nil
}

// takeUserIdentities checks the ids of user-assigned identities, and keeps them
// and nothing else.
func takeUserIdentities(identity object) error {
	const here = "identity.userAssignedIdentities"
	users, _ := identity["userAssignedIdentities"].(object)
	if len(users) == 0 {
		return badRequest("MissingIdentityIds", "The identity ids must not be null or empty for '%s' identity type.", text(identity, "type")).about(here)
	}
	if len(users) > mostIdentities {
		return badRequest("TooManyIdentities", "A resource can have %d user-assigned identities, not %d.", mostIdentities, len(users)).about(here)
	}
	kept := object{}
	seen := map[string]bool{}
	for name := range users {
		id, err := drydock.ParseResourceID(name)
		if err != nil || !isUserIdentity(id) {
			return badRequest("InvalidRequestContent", "'%s' is not the id of a user-assigned identity.", shorten(name)).about(here)
		}
		if !seen[id.Key()] {
			seen[id.Key()] = true
			kept[canonical(id).String()] = object{}
		}
	}
	identity["userAssignedIdentities"] = kept
	return nil
}

func systemAssigned(doc object) bool {
	return strings.HasPrefix(strings.ToLower(text(doc, "identity.type")), "systemassigned")
}

func userAssigned(doc object) bool {
	return strings.HasSuffix(strings.ToLower(text(doc, "identity.type")), "userassigned")
}

// assigned returns the user-assigned identities of a document, by their ids.
func assigned(doc object) object {
	users, _ := at(doc, "identity.userAssignedIdentities").(object)
	return users
}

// foldIdentities prepares a patch for being merged into a document: the
// identities in it are spelt as there, else what it removes would stay. A patch
// that only removes some says nothing of the others, whatever its type: clients
// send UserAssigned then.
func foldIdentities(doc, patch object) {
	change := assigned(patch)
	left := clone(assigned(doc)).(object)
	removes := len(change) > 0
	for given, value := range change {
		for known := range assigned(doc) {
			if strings.EqualFold(given, known) {
				delete(change, given)
				delete(left, known)
				change[known] = value
			}
		}
		removes = removes && value == nil
	}
	if !removes {
		return
	}
	var kinds []string
	if systemAssigned(doc) || systemAssigned(patch) {
		kinds = append(kinds, "SystemAssigned")
	}
	if len(left) > 0 {
		kinds = append(kinds, "UserAssigned")
	}
	child(patch, "identity")["type"] = cmp.Or(strings.Join(kinds, ", "), "None")
}

// checkAssigned checks that the user-assigned identities are there that a write
// adds to those a resource had, and that who writes may give them to resources.
// They are named as they are spelt themselves.
func (s *Server) checkAssigned(req *request, had object, st *stored) error {
	const action = userIdentityType + "/assign/action"
	var before []string
	for name := range had {
		before = append(before, strings.ToLower(name))
	}
	for _, name := range slices.Collect(maps.Keys(assigned(st.doc))) {
		if slices.Contains(before, strings.ToLower(name)) {
			continue
		}
		id, err := drydock.ParseResourceID(name)
		if err != nil {
			return err
		}
		if !req.rights.Allow(action, id) {
			return linkedForbidden(req.principal, st.ID, action, id)
		}
		user, err := s.load(req.Context(), id)
		if err != nil {
			return err
		}
		if !user.exists() || user.deleting() {
			return badRequest("FailedIdentityOperation", "The identity '%s' does not exist.", id).about("identity.userAssignedIdentities")
		}
		delete(assigned(st.doc), name)
		assigned(st.doc)[user.ID.String()] = object{}
	}
	return nil
}

// linkedForbidden is the error of a principal that may write a resource, and not
// do an action on what the resource names.
func linkedForbidden(p drydock.Principal, written drydock.ResourceID, action string, linked drydock.ResourceID) error {
	return &apiError{
		Status: http.StatusForbidden, Code: "LinkedAuthorizationFailed",
		Message: fmt.Sprintf("The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; however, it does not have permission to perform action '%s' on the linked scope '%s'.",
			p.AppID, p.ID, written.Type()+"/write", written, action, linked),
	}
}

// systemIdentity returns the principal of a resource's own identity, which a
// user-assigned identity is to itself.
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
	wanted := systemAssigned(st.doc) || isUserIdentity(st.ID)
	if _, there, err := s.systemIdentity(ctx, st.ID); err != nil || there == wanted {
		return err
	}
	// In a transaction, so that two writers at a time make one.
	return s.c.Transactor.Atomically(ctx, func(ctx context.Context) error {
		p, there, err := s.systemIdentity(ctx, st.ID)
		switch {
		case err != nil || there == wanted:
			return err
		case there:
			return s.c.Principals.DeletePrincipal(ctx, p.ID)
		}
		return s.c.Principals.PutPrincipal(ctx, drydock.Principal{
			ID: s.c.NewID(), AppID: s.c.NewID(), Kind: drydock.ManagedIdentity,
			Name: strings.Join(st.ID.Names, "/"), Owner: st.ID, Created: s.c.Now(),
		})
	})
}

// showIdentity adds what the server knows of an identity to a document.
func (s *Server) showIdentity(ctx context.Context, st *stored, doc object) error {
	if !systemAssigned(doc) && !userAssigned(doc) {
		return nil
	}
	all, err := s.identitiesOf(ctx, st)
	if err != nil {
		return err
	}
	identity := child(doc, "identity")
	if all.System != nil {
		identity["principalId"], identity["tenantId"] = all.System.ID, s.c.Authority.Tenant()
	}
	for name, entry := range assigned(doc) {
		for _, p := range all.Users {
			if known, ok := entry.(object); ok && strings.EqualFold(p.Owner.String(), name) {
				known["principalId"], known["clientId"] = p.ID, p.AppID
			}
		}
	}
	return nil
}
