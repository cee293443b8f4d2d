package graph

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// route is one operation of the API.
type route struct {
	method string
	path   string // below the version; "{id}" stands for an object id, or an appId as "appId=…"
	// self lets everybody ask who has signed in, about itself.
	self   bool
	what   string // one sentence for docs/graph.md
	handle func(*request) (*answer, error)
}

// table returns the routes. docs/graph.md is made from it.
func (s *Server) table() []route {
	const (
		get    = http.MethodGet
		post   = http.MethodPost
		patch  = http.MethodPatch
		remove = http.MethodDelete
	)
	const app, sp, user = "/applications/{id}", "/servicePrincipals/{id}", "/users/{id}"
	return []route{
		{get, "/applications", true, "List applications, by `$filter` on displayName, appId, id and identifierUris.", s.listApplications},
		{post, "/applications", false, "Register an application.", s.createApplication},
		{get, app, true, "Show an application.", s.showApplication},
		{patch, app, false, "Rename an application, and its service principal.", s.patchApplication},
		{remove, app, false, "Delete an application with its service principal.", s.deleteApplication},
		{post, app + "/addPassword", false, "Add a secret, which is shown only now.", s.addApplicationPassword},
		{post, app + "/removePassword", false, "Remove a secret.", s.removeApplicationPassword},
		{get, "/servicePrincipals", true, "List service principals, by `$filter` on displayName, appId, id, servicePrincipalNames, servicePrincipalType.", s.listServicePrincipals},
		{post, "/servicePrincipals", false, "Make the service principal of an application.", s.createServicePrincipal},
		{get, sp, true, "Show a service principal.", s.showServicePrincipal},
		{remove, sp, false, "Delete a service principal, with its roles; its application stays.", s.deleteServicePrincipal},
		{post, sp + "/addPassword", false, "Add a secret to the application of a service principal.", s.addServicePrincipalPassword},
		{post, sp + "/removePassword", false, "Remove a secret of the application of a service principal.", s.removeServicePrincipalPassword},
		{post, "/directoryObjects/getByIds", true, "Show the users, groups, service principals, and if asked for the applications, with some object ids.", s.objectsByID},
		{get, "/users", true, "List people, by `$filter` on userPrincipalName, displayName, id, mail, accountEnabled and userType.", s.listUsers},
		{post, "/users", false, "Make a user with a password.", s.createUser},
		{get, user, true, "Show a user; `{id}` may be the user principal name.", s.showUser},
		{patch, user, false, "Change the name or the password of a user, or disable it.", s.patchUser},
		{remove, user, false, "Delete a user, with its roles.", s.deleteUser},
		{post, user + "/revokeSignInSessions", false, "Make a user sign in again everywhere.", s.revokeSessions},
		{get, "/groups", true, "List groups, by `$filter` on displayName and id.", s.listGroups},
		{post, "/groups", false, "Make the group that stands for the one of that name at the provider of identities.", s.createGroup},
		{get, "/groups/{id}", true, "Show a group.", s.showGroup},
		{remove, "/groups/{id}", false, "Delete a group, with its roles.", s.deleteGroup},
		{get, "/me", true, "Show who has signed in; 400 for a service principal, which is not a person.", s.showMe},
		{get, "/me/memberOf", true, "List the groups that who has signed in is in.", s.listMyGroups},
		{post, "/me/changePassword", true, "Replace the own password.", s.changeMyPassword},
		{post, "/me/revokeSignInSessions", true, "Sign out everywhere.", s.revokeMySessions},
	}
}

// byAppID is the form of "servicePrincipals(appId='…')".
var byAppID = regexp.MustCompile(`^([A-Za-z]+)\((?i:appId)='([^']*)'\)$`)

// appIDKey is how the id in a path says that it is an appId.
const appIDKey = "appId="

// route finds the route of a request and the id in its path.
func (s *Server) route(r *http.Request) (*route, string, error) {
	parts, err := pathParts(r.URL)
	if err != nil {
		return nil, "", err
	}
	var methods []string
	for i := range s.routes {
		candidate := &s.routes[i]
		id, ok := candidate.match(parts)
		if !ok {
			continue
		}
		if candidate.method == r.Method {
			return candidate, id, nil
		}
		methods = append(methods, candidate.method)
	}
	if methods != nil {
		slices.Sort(methods)
		return nil, "", &apiError{
			Status: http.StatusMethodNotAllowed, Code: "Request_BadRequest", Allow: strings.Join(methods, ", "),
			Message: "The method " + shorten(r.Method) + " is not possible here: " + strings.Join(methods, ", ") + " are.",
		}
	}
	return nil, "", badRequest("BadRequest", "There is nothing at '%s'. docs/graph.md lists what this server has.", shorten(r.URL.Path))
}

// pathParts splits a path below its version, of which all are one.
func pathParts(u *url.URL) ([]string, error) {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(u.EscapedPath(), "/"), "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			return nil, badRequest("BadRequest", "The path can't be read.")
		}
		if m := byAppID.FindStringSubmatch(text); m != nil {
			parts = append(parts, m[1], appIDKey+m[2])
		} else {
			parts = append(parts, text)
		}
	}
	if !strings.EqualFold(parts[0], "v1.0") && !strings.EqualFold(parts[0], "beta") {
		return nil, badRequest("BadRequest", "'%s' is not a version of the API: v1.0 is.", shorten(parts[0]))
	}
	return parts[1:], nil
}

func (rt *route) match(parts []string) (id string, ok bool) {
	pattern := strings.Split(rt.path[1:], "/")
	if len(pattern) != len(parts) {
		return "", false
	}
	for i, p := range pattern {
		if p == "{id}" {
			id = parts[i]
		} else if !strings.EqualFold(p, parts[i]) {
			return "", false
		}
	}
	return id, true
}
