package auth

import (
	"errors"
	"net/http"
	"strings"
)

// userInfo answers what OpenID Connect Core §5.3 asks for: who a token is of.
func (a *Authority) userInfo(w http.ResponseWriter, r *http.Request) {
	if t := r.PathValue("tenant"); t != "" && !a.knownTenant(t) {
		a.refuse(w, a.unknownTenant(t))
		return
	}
	audience, _ := a.audienceOf(a.userInfoResource())
	p, err := a.bearer(r, audience)
	var refused *TokenError
	switch {
	case errors.As(err, &refused):
		w.Header().Set("WWW-Authenticate", a.challenge(refused))
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": refused.Message})
		return
	case err != nil:
		a.refuse(w, err)
		return
	}
	claims := map[string]string{"sub": p.ID, "name": p.Name}
	if p.Person != nil {
		claims["preferred_username"], claims["upn"] = p.Person.Login, p.Person.Login
		if strings.Contains(p.Person.Login, "@") {
			claims["email"] = p.Person.Login
		}
	}
	noStore(w)
	writeJSON(w, http.StatusOK, claims)
}

// userRealm answers clients that ask, before they send a password, whether they
// have to send it elsewhere. It says the same of names that nobody has.
func (a *Authority) userRealm(w http.ResponseWriter, r *http.Request) {
	login := NormalLogin(r.PathValue("user"))
	_, domain, _ := strings.Cut(login, "@")
	writeJSON(w, http.StatusOK, map[string]string{
		"ver": "1.0", "account_type": "Managed", "domain_name": domain,
		"cloud_instance_name": r.Host, "cloud_audience_urn": "urn:federation:" + r.Host,
	})
}
