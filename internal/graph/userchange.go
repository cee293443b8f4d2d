package graph

import (
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// patchUser changes a person's name, password, and whether it may sign in.
func (s *Server) patchUser(req *request) (*answer, error) {
	p, err := s.findUser(req)
	if err != nil {
		return nil, err
	}
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	name, err := stringAt(doc, "displayName")
	if err != nil {
		return nil, err
	}
	login, err := stringAt(doc, "userPrincipalName")
	if err != nil {
		return nil, err
	}
	if login != "" && !strings.EqualFold(login, p.Person.Login) {
		return nil, badRequest("Request_BadRequest", "The 'userPrincipalName' of a user can't be changed: make another user.")
	}
	enabled, err := boolAt(doc, "accountEnabled", !p.Person.Disabled)
	if err != nil {
		return nil, err
	}
	password, mustChange, err := passwordProfile(doc)
	if err != nil {
		return nil, err
	}
	if password != nil {
		if err := s.c.People.SetPassword(req.Context(), p.ID, *password, mustChange); err != nil {
			return nil, err
		}
		s.logPerson(req, "set the password of a user", p)
	}
	_, profile := doc["passwordProfile"].(object)
	err = s.c.People.ChangePerson(req.Context(), p.ID, func(p *drydock.Principal) error {
		if name != "" {
			p.Name = name
		}
		if profile && password == nil {
			p.Person.MustChange = mustChange
		}
		p.Person.Disabled = !enabled
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.logPerson(req, "changed a user", p)
	return done()
}

// revokeSessions makes a person sign in again.
func (s *Server) revokeSessions(req *request) (*answer, error) {
	p, err := s.findUser(req)
	if err != nil {
		return nil, err
	}
	return s.endSessions(req, p)
}

func (s *Server) revokeMySessions(req *request) (*answer, error) {
	if req.principal.Person == nil {
		return nil, notPerson()
	}
	return s.endSessions(req, req.principal)
}

func (s *Server) endSessions(req *request, p drydock.Principal) (*answer, error) {
	if err := s.c.People.EndSessions(req.Context(), p.ID); err != nil {
		return nil, err
	}
	s.logPerson(req, "ended the sessions of a user", p)
	return ok(object{"@odata.context": req.context("Edm.Boolean"), "value": true})
}

// changeMyPassword replaces the password of who asks, and knows it.
func (s *Server) changeMyPassword(req *request) (*answer, error) {
	if req.principal.Person == nil {
		return nil, notPerson()
	}
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	old, err := stringAt(doc, "currentPassword")
	if err != nil {
		return nil, err
	}
	fresh, err := stringAt(doc, "newPassword")
	if err != nil {
		return nil, err
	}
	if _, err := s.c.Authority.CheckPassword(req.Context(), req.principal.Person.Login, old, auth.ClientAddress(req.Request)); drydock.CodeOf(err) == drydock.Denied {
		return nil, badRequest("Request_BadRequest", "The specified password does not match: 'currentPassword' is wrong, or was so too often.")
	} else if err != nil {
		return nil, err
	}
	if err := s.c.People.SetPassword(req.Context(), req.principal.ID, fresh, false); err != nil {
		return nil, err
	}
	s.logPerson(req, "changed the own password", req.principal)
	return done()
}
