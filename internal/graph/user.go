package graph

import (
	"context"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// users is the collection of people.
func (s *Server) users() collection {
	return collection{
		name: "users",
		has:  func(p drydock.Principal) bool { return p.Kind == drydock.User && p.Person != nil },
		doc:  s.userDoc,
		fields: map[string]filterField{
			"id": {}, "userprincipalname": {}, "displayname": {}, "mail": {}, "mailnickname": {}, "accountenabled": {}, "usertype": {},
		},
		values: func(p drydock.Principal) filterRecord {
			return filterRecord{
				"id": {p.ID}, "userprincipalname": {p.Person.Login}, "displayname": {p.Name}, "mail": {p.Person.Login},
				"mailnickname": {nickname(p)}, "accountenabled": {boolText(!p.Person.Disabled)}, "usertype": {userType(p)},
			}
		},
	}
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// nickname is the part of a login before its domain.
func nickname(p drydock.Principal) string {
	name, _, _ := strings.Cut(p.Person.Login, "@")
	return name
}

// userType tells those apart whom a provider elsewhere vouches for.
func userType(p drydock.Principal) string {
	if p.Person.Issuer != "" {
		return "Guest"
	}
	return "Member"
}

func (s *Server) userDoc(p drydock.Principal) object {
	identity := object{"signInType": "userPrincipalName", "issuer": s.c.Authority.Tenant(), "issuerAssignedId": p.Person.Login}
	if p.Person.Issuer != "" {
		identity["signInType"], identity["issuer"] = "federated", p.Person.Issuer
	}
	return object{
		"id": p.ID, "userPrincipalName": p.Person.Login, "displayName": p.Name, "mail": p.Person.Login, "mailNickname": nickname(p),
		"accountEnabled": !p.Person.Disabled, "userType": userType(p), "createdDateTime": when(p.Created),
		"identities": []any{identity}, "businessPhones": []any{},
		"givenName": nil, "surname": nil, "jobTitle": nil, "mobilePhone": nil, "officeLocation": nil, "preferredLanguage": nil,
	}
}

// findUser returns the person that the path names by an id or a user principal
// name.
func (s *Server) findUser(req *request) (drydock.Principal, error) {
	return s.find(req, s.users(), func(ctx context.Context, name string) (drydock.Principal, error) {
		if strings.Contains(name, "@") {
			return s.c.Logins.PrincipalByLogin(ctx, name)
		}
		return s.c.Principals.Principal(ctx, name)
	})
}

func (s *Server) listUsers(req *request) (*answer, error) { return s.list(req, s.users()) }

func (s *Server) showUser(req *request) (*answer, error) {
	p, err := s.findUser(req)
	if err != nil {
		return nil, err
	}
	return req.one(s.users(), p)
}

// showMe answers with who asks.
func (s *Server) showMe(req *request) (*answer, error) {
	if req.principal.Person == nil {
		return nil, notPerson()
	}
	return req.one(s.users(), req.principal)
}

func notPerson() *apiError {
	return &apiError{
		Status: http.StatusBadRequest, Code: "BadRequest",
		Message: "/me is the person who has signed in, and a service principal is none.",
	}
}

func (s *Server) createUser(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	var n auth.NewPerson
	if n.Name, err = stringAt(doc, "displayName"); err != nil {
		return nil, err
	}
	if n.Login, err = stringAt(doc, "userPrincipalName"); err != nil {
		return nil, err
	}
	password, mustChange, err := passwordProfile(doc)
	if err != nil {
		return nil, err
	}
	if password == nil {
		return nil, badRequest("Request_BadRequest", "A user needs a password: 'passwordProfile' is missing.")
	}
	enabled, err := boolAt(doc, "accountEnabled", true)
	if err != nil {
		return nil, err
	}
	n.Password, n.MustChange, n.Disabled = *password, mustChange, !enabled
	p, err := s.c.People.CreatePerson(req.Context(), n)
	if drydock.CodeOf(err) == drydock.Conflict {
		return nil, badRequest("Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.")
	}
	if err != nil {
		return nil, err
	}
	s.logPerson(req, "made a user", p)
	a, err := req.one(s.users(), p)
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

// passwordProfile reads a password that is set; nil for none. As in Graph it has
// to be changed at the next sign-in unless somebody says that it hasn't.
func passwordProfile(doc object) (password *string, mustChange bool, err error) {
	profile, given := doc["passwordProfile"].(object)
	if !given {
		return nil, false, nil
	}
	if mustChange, err = boolAt(profile, "forceChangePasswordNextSignIn", true); err != nil {
		return nil, false, err
	}
	text, isText := profile["password"].(string)
	if !isText {
		return nil, mustChange, nil
	}
	return &text, mustChange, nil
}

// boolAt returns a yes or no of a document.
func boolAt(doc object, key string, otherwise bool) (bool, error) {
	switch v := doc[key].(type) {
	case nil:
		return otherwise, nil
	case bool:
		return v, nil
	}
	return false, badRequest("Request_BadRequest", "'%s' is neither true nor false.", key)
}

func (s *Server) deleteUser(req *request) (*answer, error) {
	p, err := s.findUser(req)
	if err != nil {
		return nil, err
	}
	if err := s.c.People.DeletePerson(req.Context(), p.ID); err != nil {
		return nil, err
	}
	s.logPerson(req, "deleted a user", p)
	return done()
}

// logPerson notes who changed what of a person or a group.
func (s *Server) logPerson(req *request, what string, p drydock.Principal) {
	s.c.Log.InfoContext(req.Context(), what, "id", p.ID, "name", p.Name, "by", req.principal.ID)
}
