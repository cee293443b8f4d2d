package arm

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/drydockhq/drydock"
)

// groupName is ARM's rule: no period at the end, at most 90 characters.
var groupName = regexp.MustCompile(`^[-A-Za-z0-9_().]{0,89}[-A-Za-z0-9_()]$`)

var groupFields = append(
	kinds(anObject, "tags", "properties"),
	field{path: "location", kind: aString, min: 1, max: 90},
	field{path: "tags{}", kind: aString, max: 256},
	field{path: "managedBy", kind: aString},
)

const groupRead = "Microsoft.Resources/subscriptions/resourceGroups/read"

func groupDoc(st *stored) object {
	doc := st.envelope()
	child(doc, "properties")["provisioningState"] = st.state()
	return doc
}

func (s *Server) showGroup(req *request) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return st.answer(http.StatusOK, groupDoc(st)), nil
}

// headGroup says whether there is a group.
func (s *Server) headGroup(req *request) (*answer, error) {
	st, err := s.load(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	if !st.exists() {
		return &answer{status: http.StatusNotFound}, nil
	}
	return &answer{status: http.StatusNoContent}, nil
}

func (s *Server) listGroups(req *request) (*answer, error) {
	filter, err := req.filter(resourceFilterFields)
	if err != nil {
		return nil, err
	}
	found, err := s.c.Resources.Resources(req.Context(), drydock.ResourceFilter{Below: s.subscriptionScope(), Type: groupType})
	if err != nil {
		return nil, err
	}
	var docs []any
	for _, r := range found {
		if !req.rights.AllowSomewhere(groupRead, r.ID) {
			continue
		}
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		if filter.Matches(resourceValues(st)) {
			docs = append(docs, groupDoc(st))
		}
	}
	return req.page(docs)
}

func (s *Server) putGroup(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if !groupName.MatchString(req.scope.Group) {
		return nil, badRequest("InvalidResourceGroup", "The resource group name '%s' is invalid: it has %d characters; 1 to 90 letters, digits, '-', '_', '.' and parentheses are possible, and no '.' at its end.", req.scope.Group, len(req.scope.Group))
	}
	if err := check(doc, groupFields); err != nil {
		return nil, err
	}
	status := http.StatusOK
	st, err := s.change(req.Context(), req.scope, func(st *stored) error {
		if st.deleting() {
			return s.mutable(req.Context(), req.scope)
		}
		if err := req.precondition(st); err != nil {
			return err
		}
		if !st.exists() {
			status = http.StatusCreated
		}
		next, _ := clone(doc).(object)
		if err := st.takeLocation(next, ""); err != nil {
			return err
		}
		st.doc = withoutComputed(next, "provisioningState")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return st.answer(status, groupDoc(st)), nil
}

// patchGroup replaces the tags, as ARM does.
func (s *Server) patchGroup(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, groupFields); err != nil {
		return nil, err
	}
	st, err := s.change(req.Context(), req.scope, func(st *stored) error {
		if !st.exists() {
			_, err := s.find(req.Context(), req.scope)
			return err
		}
		if st.deleting() {
			return s.mutable(req.Context(), req.scope)
		}
		if err := req.precondition(st); err != nil {
			return err
		}
		for key, value := range doc {
			if key != "properties" && key != "location" {
				st.doc[key] = clone(value)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return st.answer(http.StatusOK, groupDoc(st)), nil
}

// deleteGroup begins to delete a group with all that is in it.
func (s *Server) deleteGroup(req *request) (*answer, error) {
	return s.beginDelete(req, 0)
}

// withoutComputed takes keys out of the properties that the server computes.
func withoutComputed(doc object, keys ...string) object {
	properties, isObject := doc["properties"].(object)
	if !isObject {
		delete(doc, "properties")
		return doc
	}
	for _, key := range keys {
		delete(properties, key)
	}
	return doc
}

// resourceFilterFields are what lists of resources can be filtered by.
var resourceFilterFields = map[string]filterField{
	"resourcetype": {kind: filterText}, "name": {kind: filterText}, "resourcegroup": {kind: filterText},
	"location": {kind: filterText}, "tagname": {kind: filterText}, "tagvalue": {kind: filterText},
}

// resourceValues are the values of a resource that filters compare. Filters by
// tag ask for a name and perhaps a value; each tag is tried.
func resourceValues(st *stored) filterRecord {
	record := filterRecord{
		"resourcetype": {st.ID.Type()}, "name": {st.ID.Name()},
		"resourcegroup": {st.ID.Group}, "location": {st.Location, plainLocation(st.Location)},
	}
	tags, _ := st.doc["tags"].(object)
	for name, value := range tags {
		record["tagname"] = append(record["tagname"], name)
		record["tagvalue"] = append(record["tagvalue"], strings.TrimSpace(asText(value)))
	}
	return record
}
