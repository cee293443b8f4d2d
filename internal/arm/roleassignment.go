package arm

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

const (
	authorization       = "Microsoft.Authorization"
	roleAssignmentType  = authorization + "/roleAssignments"
	roleDefinitionType  = authorization + "/roleDefinitions"
	roleDefinitionsPath = "/providers/" + roleDefinitionType + "/"
)

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

var roleAssignmentFields = []field{
	{path: "properties", kind: anObject, required: true},
	{path: "properties.roleDefinitionId", kind: aString, required: true},
	{path: "properties.principalId", kind: aString, required: true, form: guid},
	{path: "properties.principalType", kind: aString},
	{path: "properties.condition", kind: aString},
}

// roleScope returns the scope that a path of role assignments is about: what
// comes before its last "providers".
func (req *request) roleScope() drydock.ResourceID {
	id := req.scope
	if strings.EqualFold(id.Namespace, authorization) {
		id.Namespace, id.Types, id.Names = "", nil, nil
	}
	if i := slices.IndexFunc(id.Types, func(t string) bool { return strings.EqualFold(t, "providers") }); i > 0 {
		id.Types, id.Names = id.Types[:i], id.Names[:i]
	}
	return canonical(id)
}

// findRoleScope checks that the scope is there.
func (s *Server) findRoleScope(req *request) (drydock.ResourceID, error) {
	scope := req.roleScope()
	if scope.Group == "" {
		return scope, nil
	}
	if vault := scope.Parent(); strings.EqualFold(vault.Type(), vaultType) && len(scope.Types) == 2 {
		// A secret, whose role may be given before it is there.
		st, err := s.find(req.Context(), vault)
		if err != nil {
			return drydock.ResourceID{}, err
		}
		return scope.Under(st.ID), nil
	}
	st, err := s.find(req.Context(), scope)
	if err != nil {
		return scope, err
	}
	return st.ID, nil
}

// assigneeType is what Azure calls the kind of a principal in role assignments:
// all that are neither people nor groups are service principals.
func assigneeType(p drydock.Principal) string {
	switch p.Kind {
	case drydock.User, drydock.Group:
		return string(p.Kind)
	}
	return "ServicePrincipal"
}

func (s *Server) roleAssignmentDoc(ctx context.Context, a drydock.RoleAssignment) (object, error) {
	p, err := s.c.Principals.Principal(ctx, a.Principal)
	if err != nil && drydock.CodeOf(err) != drydock.NotFound {
		return nil, err
	}
	return roleAssignmentDoc(a, assigneeType(p), s.c.Subscription), nil
}

func roleAssignmentDoc(a drydock.RoleAssignment, assignee, subscription string) object {
	return object{
		"id": a.Scope.String() + "/providers/" + roleAssignmentType + "/" + a.ID, "name": a.ID, "type": roleAssignmentType,
		"properties": object{
			"scope": a.Scope.String(), "principalId": a.Principal, "principalType": assignee,
			"roleDefinitionId": "/subscriptions/" + subscription + roleDefinitionsPath + a.Role,
			"createdOn":        timestamp(a.Created), "updatedOn": timestamp(a.Created),
		},
	}
}

// putRoleAssignment answers 201 always: clients know no other answer.
func (s *Server) putRoleAssignment(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, roleAssignmentFields); err != nil {
		return nil, err
	}
	name := strings.ToLower(req.params["assignment"])
	if !guid.MatchString(name) {
		return nil, badRequest("InvalidRoleAssignmentId", "The role assignment id '%s' is not a GUID.", shorten(name))
	}
	scope, err := s.findRoleScope(req)
	if err != nil {
		return nil, err
	}
	if text(doc, "properties.condition") != "" {
		// To leave it out would give more than is meant to be given.
		return nil, badRequest("RoleAssignmentConditionNotSupported", "Conditions of role assignments are not part of this server.").about("properties.condition")
	}
	definition := text(doc, "properties.roleDefinitionId")
	role, known := auth.RoleByID(definition[strings.LastIndexByte(definition, '/')+1:])
	if !known {
		return nil, badRequest("RoleDefinitionDoesNotExist", "The specified role definition '%s' does not exist.", shorten(definition))
	}
	principal := strings.ToLower(text(doc, "properties.principalId"))
	if err := s.checkAssignee(req.Context(), principal, text(doc, "properties.principalType")); err != nil {
		return nil, err
	}
	a := drydock.RoleAssignment{ID: name, Scope: scope, Role: role.ID, Principal: principal, Created: s.c.Now()}
	if err := s.c.Roles.PutRoleAssignment(req.Context(), a); drydock.CodeOf(err) == drydock.Conflict {
		return nil, conflict("RoleAssignmentExists", "The role assignment already exists.")
	} else if err != nil {
		return nil, err
	}
	body, err := s.roleAssignmentDoc(req.Context(), a)
	return &answer{status: http.StatusCreated, body: body}, err
}

// checkAssignee checks that roles can be given to a principal.
func (s *Server) checkAssignee(ctx context.Context, id, kind string) error {
	p, err := s.c.Principals.Principal(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound || err == nil && p.Kind == drydock.Application {
		return badRequest("PrincipalNotFound", "Principal %s does not exist in the directory %s.", id, s.c.Authority.Tenant())
	}
	if err == nil && kind != "" && !strings.EqualFold(kind, assigneeType(p)) {
		return badRequest("UnmatchedPrincipalType", "The principal %s is of the type '%s', not '%s'.", id, assigneeType(p), shorten(kind)).about("properties.principalType")
	}
	return err
}

// assignmentOf returns the assignment that a path names.
func (s *Server) assignmentOf(req *request) (drydock.RoleAssignment, error) {
	scope := req.roleScope()
	found, err := s.c.Roles.RoleAssignments(req.Context(), drydock.RoleFilter{Below: scope})
	if err != nil {
		return drydock.RoleAssignment{}, err
	}
	for _, a := range found {
		if strings.EqualFold(a.ID, req.params["assignment"]) && a.Scope.Key() == scope.Key() {
			return a, nil
		}
	}
	return drydock.RoleAssignment{}, notFound("RoleAssignmentNotFound", "The role assignment '%s' is not found.", req.params["assignment"])
}

func (s *Server) showRoleAssignment(req *request) (*answer, error) {
	a, err := s.assignmentOf(req)
	if err != nil {
		return nil, err
	}
	return s.answerAssignment(req, a)
}

func (s *Server) answerAssignment(req *request, a drydock.RoleAssignment) (*answer, error) {
	doc, err := s.roleAssignmentDoc(req.Context(), a)
	if err != nil {
		return nil, err
	}
	return ok(doc)
}

func (s *Server) deleteRoleAssignment(req *request) (*answer, error) {
	a, err := s.assignmentOf(req)
	if e, known := apiErrorOf(err); err != nil && known && e.Status == http.StatusNotFound {
		return &answer{status: http.StatusNoContent}, nil
	}
	if err != nil {
		return nil, err
	}
	if err := s.c.Roles.DeleteRoleAssignment(req.Context(), a.Scope, a.ID); err != nil {
		return nil, err
	}
	return s.answerAssignment(req, a)
}

// assignmentFilterFields are what lists of role assignments can be filtered by;
// atScope() is taken out before.
var assignmentFilterFields = map[string]filterField{"principalid": {}, "assignedto": {}, "roledefinitionid": {}}

// listRoleAssignments lists those of a scope and below it, and with atScope()
// those that hold at it: of itself and what it is in.
func (s *Server) listRoleAssignments(req *request) (*answer, error) {
	given := req.query.Get("$filter")
	atScope := strings.Contains(given, "atScope()")
	given = strings.TrimPrefix(strings.TrimSpace(strings.ReplaceAll(given, "atScope()", "")), "and ")
	f, err := parseFilter(assignedTo.ReplaceAllString(given, "assignedTo eq $1"), assignmentFilterFields)
	if err != nil {
		return nil, err
	}
	scope, err := s.findRoleScope(req)
	if err != nil {
		return nil, err
	}
	found, err := s.c.Roles.RoleAssignments(req.Context(), drydock.RoleFilter{Below: s.subscriptionScope()})
	if err != nil {
		return nil, err
	}
	var docs []any
	for _, a := range found {
		above, below := within(scope, a.Scope), within(a.Scope, scope)
		record := filterRecord{"principalid": {a.Principal}, "assignedto": {a.Principal}, "roledefinitionid": {a.Role}}
		if (above || below && !atScope) && f.Matches(record) {
			doc, err := s.roleAssignmentDoc(req.Context(), a)
			if err != nil {
				return nil, err
			}
			docs = append(docs, doc)
		}
	}
	return req.page(docs)
}

var assignedTo = regexp.MustCompile(`assignedTo\(('[^']*')\)`)

// within reports whether an id is a scope or below it.
func within(id, scope drydock.ResourceID) bool {
	return strings.HasPrefix(id.Key()+"/", scope.Key()+"/")
}

func (s *Server) roleDoc(r auth.Role) object {
	return object{
		"id": "/subscriptions/" + s.c.Subscription + roleDefinitionsPath + r.ID, "name": r.ID, "type": roleDefinitionType,
		"properties": object{
			"roleName": r.Name, "type": "BuiltInRole", "description": r.Description, "assignableScopes": []any{"/"},
			"permissions": []any{object{
				"actions": slices.Concat([]string{}, r.Actions), "notActions": slices.Concat([]string{}, r.NotActions), "dataActions": slices.Concat([]string{}, r.DataActions), "notDataActions": []any{},
			}},
		},
	}
}

// listRoles lists the role definitions.
func (s *Server) listRoles(req *request) (*answer, error) {
	given := strings.TrimSpace(strings.ReplaceAll(req.query.Get("$filter"), "atScopeAndBelow()", ""))
	f, err := parseFilter(strings.TrimPrefix(given, "and "), map[string]filterField{"rolename": {}, "type": {}})
	if err != nil {
		return nil, err
	}
	docs := []any{}
	for _, r := range auth.Roles() {
		if f.Matches(filterRecord{"rolename": {r.Name}, "type": {"BuiltInRole"}}) {
			docs = append(docs, s.roleDoc(r))
		}
	}
	return listAnswer(docs, "")
}

func (s *Server) showRole(req *request) (*answer, error) {
	r, known := auth.RoleByID(req.params["role"])
	if !known {
		return nil, notFound("RoleDefinitionDoesNotExist", "The specified role definition '%s' does not exist.", req.params["role"])
	}
	return ok(s.roleDoc(r))
}
