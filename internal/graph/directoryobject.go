package graph

import (
	"strings"

	"github.com/drydockhq/drydock"
)

// maxIDs is how many objects can be asked for at once.
const maxIDs = 1000

// The types of objects, as Graph names them in documents.
const (
	applicationType      = "#microsoft.graph.application"
	groupType            = "#microsoft.graph.group"
	servicePrincipalType = "#microsoft.graph.servicePrincipal"
	personType           = "#microsoft.graph.user"
)

// objectsByID answers with the objects of some ids; those that are not there are
// left out.
func (s *Server) objectsByID(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	ids, err := stringsAt(doc, "ids")
	if err != nil {
		return nil, err
	}
	types, err := stringsAt(doc, "types")
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > maxIDs {
		return nil, badRequest("Request_BadRequest", "'ids' are %d; 1 to %d can be asked for.", len(ids), maxIDs)
	}
	all, err := s.c.Principals.Principals(req.Context(), drydock.ResourceID{})
	if err != nil {
		return nil, err
	}
	found := []any{}
	for _, id := range ids {
		doc, p := s.objectByID(id, types, all)
		if doc == nil && !req.owner || doc != nil && !req.sees(p) {
			return nil, denied()
		}
		if doc != nil {
			found = append(found, doc)
		}
	}
	return ok(object{"@odata.context": req.context("directoryObjects"), "value": found})
}

// objectByID returns the object with an id, if it is of one of the types; with
// no types, of any.
func (s *Server) objectByID(id string, types []string, all []drydock.Principal) (object, drydock.Principal) {
	wanted := func(name string) bool {
		return len(types) == 0 || contains(types, name) || contains(types, "directoryObject")
	}
	for _, p := range all {
		switch {
		case strings.EqualFold(p.ID, id) && s.servicePrincipals().has(p) && wanted("servicePrincipal"):
			doc := s.servicePrincipalDoc(p)
			doc["@odata.type"] = servicePrincipalType
			return doc, p
		case strings.EqualFold(p.ID, id) && s.users().has(p) && wanted("user"):
			doc := s.userDoc(p)
			doc["@odata.type"] = personType
			return doc, p
		case strings.EqualFold(p.ID, id) && s.groups().has(p) && wanted("group"):
			doc := s.groupDoc(p)
			doc["@odata.type"] = groupType
			return doc, p
		case strings.EqualFold(applicationID(p.AppID), id) && s.applications().has(p) && wanted("application"):
			doc := s.applicationDoc(p)
			doc["@odata.type"] = applicationType
			return doc, p
		}
	}
	return nil, drydock.Principal{}
}

func stringsAt(doc object, key string) ([]string, error) {
	list, _ := doc[key].([]any)
	texts := make([]string, len(list))
	for i, v := range list {
		text, isText := v.(string)
		if !isText {
			return nil, badRequest("Request_BadRequest", "'%s' is not a list of texts.", key)
		}
		texts[i] = text
	}
	return texts, nil
}
