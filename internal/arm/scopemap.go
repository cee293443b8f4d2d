package arm

import (
	"context"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

const (
	userDefined   = "UserDefined"
	systemDefined = "SystemDefined"
)

var scopeMapFields = slices.Concat(
	kinds(anObject, "properties"),
	[]field{
		{path: "properties.description", kind: aString, max: 256},
		{path: "properties.actions", kind: aList},
		{path: "properties.actions[]", kind: aString, min: 1, max: 512},
	},
)

// wholeScopeMapFields must be there in a scope map, though not in a change of one.
var wholeScopeMapFields = []field{
	{path: "properties", kind: anObject, required: true},
	{path: "properties.actions", kind: aList, required: true},
}

// computedOfScopeMap are the properties that only the server sets.
var computedOfScopeMap = []string{"provisioningState", "creationDate", "type"}

func (s *Server) putScopeMap(req *request) (*answer, error) {
	if err := scopedName(req.scope, "scope map"); err != nil {
		return nil, err
	}
	if _, system := drydock.SystemScopeMap(req.scope.Name()); system {
		return s.putSystemMap(req)
	}
	return s.putChild(req, scopeMapFields, func(_ context.Context, st *stored, next object) error {
		if err := check(next, wholeScopeMapFields); err != nil {
			return err
		}
		return takeScopeMap(st, next)
	}, noFinish, s.scopeMapDoc)
}

func (s *Server) patchScopeMap(req *request) (*answer, error) {
	if _, system := drydock.SystemScopeMap(req.scope.Name()); system {
		return nil, s.systemMapStays(req)
	}
	return s.patchChild(req, scopeMapFields, func(_ context.Context, st *stored, patch object) error {
		return takeScopeMap(st, merge(st.doc, patch))
	}, noFinish, s.scopeMapDoc)
}

// deleteScopeMap deletes a scope map. Tokens that have it stay, and may do
// nothing until they are given another one.
func (s *Server) deleteScopeMap(req *request) (*answer, error) {
	if _, system := drydock.SystemScopeMap(req.scope.Name()); system {
		return nil, s.systemMapStays(req)
	}
	return s.deleteResource(req)
}

// noFinish has nothing to do before a resource is stored.
func noFinish(*stored) error { return nil }

// takeScopeMap checks the actions of a scope map and puts it into its resource.
func takeScopeMap(st *stored, next object) error {
	properties := child(next, "properties")
	actions := []any{}
	for _, given := range list(properties, "actions") {
		action := strings.ToLower(asText(given))
		if _, err := drydock.ParseScopeAction(action); err != nil {
			return badRequest("InvalidScopeMapAction", "%v", err).about("properties.actions")
		}
		if !slices.Contains(actions, any(action)) {
			actions = append(actions, action)
		}
	}
	properties["actions"] = actions
	st.doc = without(withoutComputed(next, computedOfScopeMap...), "location")
	return nil
}

// scopedName checks the name of a token or a scope map.
func scopedName(id drydock.ResourceID, what string) error {
	if name := id.Name(); !drydock.IsTokenName(name) {
		return badRequest("InvalidResourceName", "The %s name '%s' is invalid: it must have 5 to 50 letters, digits, '-' and '_'.", what, shorten(name))
	}
	return nil
}

func (s *Server) scopeMapDoc(_ context.Context, st *stored) (object, error) {
	doc := st.envelope()
	delete(doc, "location")
	properties := child(doc, "properties")
	properties["type"] = userDefined
	if _, system := drydock.SystemScopeMap(st.ID.Name()); system {
		properties["type"] = systemDefined
	}
	properties["creationDate"] = timestamp(st.Created)
	properties["provisioningState"] = st.state()
	return doc, nil
}

func (s *Server) showScopeMap(req *request) (*answer, error) {
	st, err := s.findScopeMap(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.childAnswer(req.Context(), st, s.scopeMapDoc)
}

// findScopeMap returns a scope map of a registry, also one of the system.
func (s *Server) findScopeMap(ctx context.Context, id drydock.ResourceID) (*stored, error) {
	m, system := drydock.SystemScopeMap(id.Name())
	if !system {
		return s.find(ctx, id)
	}
	if err := s.findParents(ctx, id); err != nil {
		return nil, err
	}
	registry, err := s.load(ctx, id.Parent())
	if err != nil {
		return nil, err
	}
	return systemMap(registry, m), nil
}

// systemMap returns a scope map that is there with its registry.
func systemMap(registry *stored, m drydock.ScopeMap) *stored {
	st := fresh(canonical(registry.ID.Child("scopeMaps", m.Name)))
	st.Created, st.Updated, st.ETag = registry.Created, registry.Created, "system"
	actions := make([]any, len(m.Actions))
	for i, action := range m.Actions {
		actions[i] = action
	}
	st.doc["properties"] = object{"description": m.Description, "actions": actions}
	return st
}

// listScopeMaps lists those of the system and then the others.
func (s *Server) listScopeMaps(req *request) (*answer, error) {
	if err := s.findParents(req.Context(), req.scope.Child("scopeMaps", "x")); err != nil {
		return nil, err
	}
	registry, err := s.load(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	var all []*stored
	for _, m := range drydock.SystemScopeMaps() {
		all = append(all, systemMap(registry, m))
	}
	found, err := s.c.Resources.Resources(req.Context(), drydock.ResourceFilter{Below: req.scope, Type: scopeMapType})
	if err != nil {
		return nil, err
	}
	for _, r := range found {
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	var docs []any
	for _, st := range all {
		doc, err := s.scopeMapDoc(req.Context(), st)
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return req.page(docs)
}

// systemMapStays returns the answer to a change of a scope map of the system.
func (s *Server) systemMapStays(req *request) error {
	st, err := s.findScopeMap(req.Context(), req.scope)
	if err != nil {
		return err
	}
	return conflict("SystemDefinedScopeMap", "The scope map '%s' is defined by the system: it can't be changed or deleted.", st.ID.Name())
}

// putSystemMap lets templates through that were exported with the scope maps of
// the system in them, as long as they change nothing.
func (s *Server) putSystemMap(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, slices.Concat(scopeMapFields, wholeScopeMapFields)); err != nil {
		return nil, err
	}
	m, _ := drydock.SystemScopeMap(req.scope.Name())
	given := []string{}
	for _, action := range list(doc, "properties.actions") {
		given = append(given, asText(action))
	}
	slices.Sort(given)
	slices.Sort(m.Actions)
	if !slices.Equal(given, m.Actions) {
		return nil, s.systemMapStays(req)
	}
	return s.showScopeMap(req)
}
