package graph

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
)

// applications is the collection of that name. An application is shown with an
// object id of its own, which is derived from its client id.
func (s *Server) applications() collection {
	return collection{
		name: "applications",
		has: func(p drydock.Principal) bool {
			return p.Kind == drydock.Application || p.Kind == drydock.ServicePrincipal
		},
		doc: s.applicationDoc,
		fields: map[string]filterField{
			"id": {}, "appid": {}, "displayname": {}, "signinaudience": {}, "identifieruris": {list: true}, "tags": {list: true},
		},
		values: func(p drydock.Principal) filterRecord {
			return filterRecord{
				"id": {applicationID(p.AppID)}, "appid": {p.AppID}, "displayname": {p.Name}, "signinaudience": {signInAudience},
			}
		},
	}
}

// signInAudience says that applications are for one tenant, which is the only
// one.
const signInAudience = "AzureADMyOrg"

// applicationID is the object id of an application.
func applicationID(appID string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("application "+appID)).String()
}

func (s *Server) applicationDoc(p drydock.Principal) object {
	return object{
		"id": applicationID(p.AppID), "appId": p.AppID, "displayName": p.Name, "createdDateTime": when(p.Created), "deletedDateTime": nil,
		"description": nil, "signInAudience": signInAudience, "identifierUris": []any{}, "tags": []any{},
		"appRoles": []any{}, "requiredResourceAccess": []any{}, "keyCredentials": []any{}, "passwordCredentials": passwordDocs(p),
	}
}

// findApplication returns the application that the path names.
func (s *Server) findApplication(req *request) (drydock.Principal, error) {
	return s.find(req, s.applications(), func(ctx context.Context, id string) (drydock.Principal, error) {
		all, err := s.c.Principals.Principals(ctx, drydock.ResourceID{})
		for _, p := range all {
			if applicationID(p.AppID) == id {
				return p, err
			}
		}
		if err == nil {
			err = drydock.Errorf(drydock.NotFound, "there is no application %s", id)
		}
		return drydock.Principal{}, err
	})
}

func (s *Server) listApplications(req *request) (*answer, error) {
	return s.list(req, s.applications())
}

func (s *Server) showApplication(req *request) (*answer, error) {
	p, err := s.findApplication(req)
	if err != nil {
		return nil, err
	}
	return req.one(s.applications(), p)
}

func (s *Server) createApplication(req *request) (*answer, error) {
	name, err := req.applicationName()
	if err != nil {
		return nil, err
	}
	p, err := s.c.Directory.Register(req.Context(), name)
	if err != nil {
		return nil, err
	}
	s.log(req, "registered an application", p)
	a, err := req.one(s.applications(), p)
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

// patchApplication changes the name, the only thing that there is to change.
func (s *Server) patchApplication(req *request) (*answer, error) {
	p, err := s.findApplication(req)
	if err != nil {
		return nil, err
	}
	name, err := req.applicationName()
	if err != nil {
		return nil, err
	}
	if name != "" && name != p.Name {
		if err := s.c.Directory.Rename(req.Context(), p.ID, name); err != nil {
			return nil, err
		}
		s.log(req, "renamed an application", p)
	}
	return done()
}

// applicationName reads the document of an application. What would let somebody
// sign in in a way that the server does not know is refused; what only matters
// to the sign-in of people in a browser is left out.
func (req *request) applicationName() (string, error) {
	doc, err := req.decode()
	if err != nil {
		return "", err
	}
	for key, instead := range map[string]string{
		"keyCredentials":      "applications sign in with secrets",
		"passwordCredentials": "secrets are added with addPassword",
		"identifierUris":      "applications are named by their appId",
	} {
		if list, isList := doc[key].([]any); doc[key] != nil && (!isList || len(list) > 0) {
			return "", badRequest("Request_BadRequest", "'%s' are not part of this server: %s.", key, instead)
		}
	}
	return stringAt(doc, "displayName")
}

func (s *Server) deleteApplication(req *request) (*answer, error) {
	p, err := s.findApplication(req)
	if err != nil {
		return nil, err
	}
	if err := s.c.Directory.Unregister(req.Context(), p.ID); err != nil {
		return nil, err
	}
	s.log(req, "deleted an application", p)
	return done()
}

// log notes who changed what.
func (s *Server) log(req *request, what string, p drydock.Principal) {
	s.c.Log.InfoContext(req.Context(), what, "app", p.AppID, "name", p.Name, "by", req.principal.ID)
}
