package graph

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

// servicePrincipals is the collection of that name; the identities of resources
// are among them.
func (s *Server) servicePrincipals() collection {
	return collection{
		name: "servicePrincipals",
		has: func(p drydock.Principal) bool {
			return p.Kind == drydock.ServicePrincipal || p.Kind == drydock.ManagedIdentity
		},
		doc: s.servicePrincipalDoc,
		fields: map[string]filterField{
			"id": {}, "appid": {}, "displayname": {}, "appdisplayname": {}, "serviceprincipaltype": {}, "accountenabled": {},
			"serviceprincipalnames": {list: true}, "alternativenames": {list: true}, "tags": {list: true},
		},
		values: func(p drydock.Principal) filterRecord {
			return filterRecord{
				"id": {p.ID}, "appid": {p.AppID}, "displayname": {p.Name}, "appdisplayname": {p.Name}, "serviceprincipaltype": {typeOf(p)},
				"accountenabled": {"true"}, "serviceprincipalnames": {p.AppID}, "alternativenames": alternativeNames(p),
			}
		},
	}
}

// typeOf is what Graph calls the kind of a principal.
func typeOf(p drydock.Principal) string {
	if p.Kind == drydock.ManagedIdentity {
		return "ManagedIdentity"
	}
	return "Application"
}

// alternativeNames names the resource whose identity a principal is.
func alternativeNames(p drydock.Principal) []string {
	if p.Owner.Subscription == "" {
		return []string{}
	}
	return []string{"isExplicit=False", p.Owner.String()}
}

func (s *Server) servicePrincipalDoc(p drydock.Principal) object {
	return object{
		"id": p.ID, "appId": p.AppID, "displayName": p.Name, "appDisplayName": p.Name, "servicePrincipalType": typeOf(p),
		"servicePrincipalNames": []string{p.AppID}, "alternativeNames": alternativeNames(p),
		"accountEnabled": true, "appOwnerOrganizationId": s.c.Authority.Tenant(), "appRoleAssignmentRequired": false,
		"createdDateTime": when(p.Created), "deletedDateTime": nil, "signInAudience": signInAudience,
		"tags": []any{}, "appRoles": []any{}, "keyCredentials": []any{}, "passwordCredentials": passwordDocs(p),
	}
}

// findServicePrincipal returns the service principal that the path names.
func (s *Server) findServicePrincipal(req *request) (drydock.Principal, error) {
	return s.find(req, s.servicePrincipals(), s.c.Principals.Principal)
}

func (s *Server) listServicePrincipals(req *request) (*answer, error) {
	return s.list(req, s.servicePrincipals())
}

func (s *Server) showServicePrincipal(req *request) (*answer, error) {
	p, err := s.findServicePrincipal(req)
	if err != nil {
		return nil, err
	}
	return req.one(s.servicePrincipals(), p)
}

func (s *Server) createServicePrincipal(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	appID, err := stringAt(doc, "appId")
	if err != nil {
		return nil, err
	}
	if enabled, given := doc["accountEnabled"]; given && enabled != true {
		return nil, badRequest("Request_BadRequest", "Service principals that are disabled are not part of this server: delete it, or its secrets.")
	}
	p, err := s.c.Directory.Instate(req.Context(), appID)
	if drydock.CodeOf(err) == drydock.NotFound {
		// Not in Graph's words: on those clients try again, for minutes.
		return nil, badRequest("Request_BadRequest", "There is no application with the appId '%s'.", shorten(appID))
	}
	if err != nil {
		return nil, err
	}
	s.log(req, "made a service principal", p)
	a, err := req.one(s.servicePrincipals(), p)
	if err == nil {
		a.status = http.StatusCreated
	}
	return a, err
}

func (s *Server) deleteServicePrincipal(req *request) (*answer, error) {
	p, err := s.findServicePrincipal(req)
	if err != nil {
		return nil, err
	}
	if err := s.c.Directory.Dismiss(req.Context(), p.ID); err != nil {
		return nil, err
	}
	s.log(req, "deleted a service principal", p)
	return done()
}
