package auth

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Handler returns the handler of the authority's host: discovery, keys and
// tokens, each in the flavour of Microsoft Entra and of ADFS.
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /adfs/.well-known/openid-configuration", a.discoverADFS)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", a.discoverTenant)
	mux.HandleFunc("GET /{tenant}/.well-known/openid-configuration", a.discoverTenant)
	mux.HandleFunc("GET /discovery/keys", a.keys)
	mux.HandleFunc("GET /adfs/discovery/keys", a.keys)
	mux.HandleFunc("GET /{tenant}/discovery/keys", a.keys)
	mux.HandleFunc("GET /{tenant}/discovery/v2.0/keys", a.keys)
	mux.HandleFunc("GET /common/discovery/instance", a.instances)
	mux.HandleFunc("POST /adfs/oauth2/token", a.token)
	mux.HandleFunc("POST /{tenant}/oauth2/token", a.token)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", a.token)
	mux.HandleFunc("POST /adfs/oauth2/devicecode", a.beginDevice)
	mux.HandleFunc("POST /{tenant}/oauth2/devicecode", a.beginDevice)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/devicecode", a.beginDevice)
	mux.HandleFunc("GET /adfs/userinfo", a.userInfo)
	mux.HandleFunc("GET /{tenant}/openid/userinfo", a.userInfo)
	mux.HandleFunc("GET /common/userrealm/{user}", a.userRealm)
	mux.HandleFunc("GET /common/UserRealm/{user}", a.userRealm)
	mux.Handle("/", a.pages())
	return mux
}

// discovery is what OpenID Connect Discovery 1.0 asks for, as far as it applies.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	JWKS          string   `json:"jwks_uri"`
	AuthMethods   []string `json:"token_endpoint_auth_methods_supported"`
	Responses     []string `json:"response_types_supported"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Grants        []string `json:"grant_types_supported"`
	Scopes        []string `json:"scopes_supported"`
	Device        string   `json:"device_authorization_endpoint"`
	UserInfo      string   `json:"userinfo_endpoint"`
	Challenges    []string `json:"code_challenge_methods_supported"`
	Modes         []string `json:"response_modes_supported"`
	Claims        []string `json:"claims_supported"`
}

// newDiscovery describes a flavour: its issuer, and what is below the path of its
// endpoints.
func newDiscovery(issuer, oauth, keys, userInfo string) discovery {
	return discovery{
		Issuer: issuer, Authorization: oauth + "/authorize", Token: oauth + "/token", Device: oauth + "/devicecode",
		JWKS: keys, UserInfo: userInfo,
		AuthMethods: []string{"client_secret_post", "client_secret_basic", "none"},
		Responses:   []string{"code"},
		Subjects:    []string{"public"},
		Algorithms:  []string{string(signingAlgorithm)},
		Grants: []string{
			"authorization_code", "client_credentials", "password", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code",
		},
		Scopes:     []string{"openid", "profile", "email", "offline_access"},
		Challenges: []string{"S256"},
		Modes:      []string{"query", "fragment", "form_post"},
		Claims:     []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "name", "preferred_username", "upn", "oid", "tid"},
	}
}

// base is the authority as the client named it: it may be reached by several
// names, and clients insist that what they find there has the one they used.
func base(r *http.Request) string {
	scheme := "https"
	if r.TLS == nil {
		scheme = "http"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}

func (a *Authority) discoverADFS(w http.ResponseWriter, r *http.Request) {
	b := base(r) + "/adfs"
	writeJSON(w, http.StatusOK, newDiscovery(b, b+"/oauth2", b+"/discovery/keys", b+"/userinfo"))
}

func (a *Authority) discoverTenant(w http.ResponseWriter, r *http.Request) {
	if !a.knownTenant(r.PathValue("tenant")) {
		a.refuse(w, a.unknownTenant(r.PathValue("tenant")))
		return
	}
	b := base(r) + "/" + a.c.Tenant
	writeJSON(w, http.StatusOK, newDiscovery(b+"/v2.0", b+"/oauth2/v2.0", b+"/discovery/v2.0/keys", b+"/openid/userinfo"))
}

func (a *Authority) keys(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, a.c.Keys.Public())
}

// instances answers clients that ask whether an authority is genuine. An empty
// list says that it has no other names.
func (a *Authority) instances(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": base(r) + "/" + a.c.Tenant + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata":                  []any{},
	})
}

// knownTenant accepts the names by which clients mean "the one there is".
func (a *Authority) knownTenant(name string) bool {
	switch strings.ToLower(name) {
	case a.c.Tenant, "adfs", "common", "organizations":
		return true
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer can't be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(text) // a client that is gone needs no answer
}
