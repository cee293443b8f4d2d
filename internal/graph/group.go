package graph

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

// groups is the collection of groups. A group stands for the one of its name at
// the provider of identities; who is in it is known there alone.
func (s *Server) groups() collection {
	return collection{
		name:   "groups",
		has:    func(p drydock.Principal) bool { return p.Kind == drydock.Group },
		doc:    s.groupDoc,
		fields: map[string]filterField{"id": {}, "displayname": {}, "mailnickname": {}, "securityenabled": {}},
		values: func(p drydock.Principal) filterRecord {
			return filterRecord{"id": {p.ID}, "displayname": {p.Name}, "mailnickname": {p.Name}, "securityenabled": {"true"}}
		},
	}
}

func (s *Server) groupDoc(p drydock.Principal) object {
	return object{
		"id": p.ID, "displayName": p.Name, "mailNickname": p.Name, "createdDateTime": when(p.Created), "deletedDateTime": nil,
		"description": nil, "mail": nil, "mailEnabled": false, "securityEnabled": true, "groupTypes": []any{}, "visibility": nil,
	}
}

func (s *Server) findGroup(req *request) (drydock.Principal, error) {
	return s.find(req, s.groups(), s.c.Principals.Principal)
}

func (s *Server) listGroups(req *request) (*answer, error) { return s.list(req, s.groups()) }

func (s *Server) showGroup(req *request) (*answer, error) {
	p, err := s.findGroup(req)
	if err != nil {
		return nil, err
	}
	return req.one(s.groups(), p)
}

func (s *Server) createGroup(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	name, err := stringAt(doc, "displayName")
	if err != nil {
		return nil, err
	}
	if s.c.Issuer == "" {
		return nil, badRequest("Request_BadRequest", "Groups are those of a provider of identities, and this server has none: the setting oidc.issuer names it.")
	}
	p, err := s.c.Groups.CreateGroup(req.Context(), s.c.Issuer, name)
	if err != nil {
		return nil, err
	}
	s.logPerson(req, "made a group", p)
	a, err := req.one(s.groups(), p)
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

func (s *Server) deleteGroup(req *request) (*answer, error) {
	p, err := s.findGroup(req)
	if err != nil {
		return nil, err
	}
	if err := s.c.People.DeletePerson(req.Context(), p.ID); err != nil {
		return nil, err
	}
	s.logPerson(req, "deleted a group", p)
	return done()
}

// listMyGroups answers with the groups that who asks is in, as far as they are
// known here.
func (s *Server) listMyGroups(req *request) (*answer, error) {
	found := []any{}
	for _, id := range req.principal.Groups {
		p, err := s.c.Principals.Principal(req.Context(), id)
		if drydock.CodeOf(err) == drydock.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		doc := s.groupDoc(p)
		doc["@odata.type"] = groupType
		found = append(found, doc)
	}
	return ok(object{"@odata.context": req.context("directoryObjects"), "value": found})
}
