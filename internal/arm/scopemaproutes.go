package arm

import "net/http"

func (s *Server) scopeMapRoutes() []route {
	all, one, action := registryPath+"/scopeMaps", registryPath+"/scopeMaps/{scopeMapName}", acrAction+"/scopeMaps"
	return []route{
		{method: http.MethodGet, path: all, action: action + "/read", what: "List scope maps, those of the system too.", handle: s.listScopeMaps},
		{method: http.MethodGet, path: one, action: action + "/read", what: "Show a scope map.", handle: s.showScopeMap},
		{method: http.MethodPut, path: one, action: action + "/write", what: "Create or replace a scope map: what tokens may do in which repositories.", handle: s.putScopeMap},
		{method: http.MethodPatch, path: one, action: action + "/write", what: "Change a scope map. Its tokens may do less at once, and more when they are next signed in with.", handle: s.patchScopeMap},
		{method: http.MethodDelete, path: one, action: action + "/delete", what: "Delete a scope map. Tokens that have it stay and may do nothing.", handle: s.deleteScopeMap},
	}
}

func (s *Server) tokenRoutes() []route {
	all, one, action := registryPath+"/tokens", registryPath+"/tokens/{tokenName}", acrAction+"/tokens"
	return []route{
		{method: http.MethodGet, path: all, action: action + "/read", what: "List tokens.", handle: s.listTokens},
		{method: http.MethodGet, path: one, action: action + "/read", what: "Show a token without its passwords' values.", handle: s.showToken},
		{method: http.MethodPut, path: one, action: action + "/write", what: "Create or replace a token; passwords that it has stay.", handle: s.putToken},
		{method: http.MethodPatch, path: one, action: action + "/write", what: "Change a token. Passwords that a list of them leaves out are deleted.", handle: s.patchToken},
		{method: http.MethodDelete, path: one, action: action + "/delete", what: "Delete a token. Who signed in with it is refused at once.", handle: s.deleteResource},
		{method: http.MethodPost, path: registryPath + "/generateCredentials", action: acrAction + "/generateCredentials/action", what: "Make new passwords for a token: the named one, or both.", handle: s.generateCredentials},
	}
}
