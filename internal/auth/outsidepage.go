package auth

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"

	"github.com/drydockhq/drydock"
)

// callbackPath is where the provider sends people back to.
const callbackPath = "/oidc/callback"

// CallbackURL returns the URL that the provider has to know this server by.
func (a *Authority) CallbackURL() string { return a.c.LoginURL + callbackPath }

// awayLifetime is how long a person may take to sign in at the provider.
const awayLifetime = 15 * time.Minute

// awayCookie ties the one who comes back to the browser that was sent away. The
// prefix has browsers refuse one that was set from elsewhere.
const awayCookie = "__Host-drydock-signin"

// away is somebody who signs in at the provider, and what for.
type away struct {
	verifier, nonce, cookie string

	userCode string         // of a device, or
	client   *authorization // on the person's machine
}

// startOutside sends a person to the provider.
func (a *Authority) startOutside(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.showProblem(w, err)
		return
	}
	if a.c.Provider.door() == "" {
		a.showProblem(w, missing("provider"))
		return
	}
	s := away{verifier: oauth2.GenerateVerifier(), nonce: NewSecret(), cookie: NewSecret()}
	if request := r.PostForm.Get("request"); request != "" {
		form, err := url.ParseQuery(request)
		if err != nil {
			a.showProblem(w, missing("request"))
			return
		}
		z, ok := a.authorizationOf(w, r, form)
		if !ok {
			return
		}
		s.client = &z
	} else if d, found := a.findDevice(r.PostForm.Get("user_code")); found {
		s.userCode = d.userCode
	} else {
		a.askCode(w, http.StatusNotFound, "That code has expired. Begin anew where it was shown.")
		return
	}
	c, err := a.c.Provider.oauth(r.Context(), a.CallbackURL())
	if err != nil {
		a.showProblem(w, err)
		return
	}
	state := NewSecret()
	if err := a.away.add(state, ClientAddress(r), s); err != nil {
		a.showProblem(w, tooMany(err))
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: awayCookie, Value: s.cookie, Path: "/", MaxAge: int(awayLifetime.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	noStore(w)
	http.Redirect(w, r, c.AuthCodeURL(state, oauth2.S256ChallengeOption(s.verifier), oauth2.SetAuthURLParam("nonce", s.nonce)), http.StatusSeeOther)
}

// comeBack goes on with somebody who comes from the provider.
func (a *Authority) comeBack(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s, found := a.away.take(q.Get("state"))
	cookie, err := r.Cookie(awayCookie)
	if !found || err != nil || samePassword(cookie.Value, s.cookie) != 1 {
		a.showProblem(w, invalidGrant(70008, "This sign-in has expired, or was begun in another browser. Begin anew."))
		return
	}
	http.SetCookie(w, &http.Cookie{Name: awayCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
	p, err := a.welcome(r, s, q)
	if err != nil {
		a.showProblem(w, err)
		return
	}
	if s.client != nil {
		a.finishCode(w, r, *s.client, p)
		return
	}
	a.finishDevice(w, s.userCode, p)
}

// welcome returns who comes from the provider.
func (a *Authority) welcome(r *http.Request, s away, q url.Values) (drydock.Principal, error) {
	if code := q.Get("error"); code != "" {
		return drydock.Principal{}, invalidGrant(50126, a.c.Provider.Name()+" says: "+printable(code+" "+q.Get("error_description")))
	}
	o, err := a.c.Provider.redeem(r.Context(), a.CallbackURL(), q.Get("code"), s.verifier, s.nonce)
	var refused *TokenError
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return drydock.Principal{}, invalidGrant(50126, refused.Message)
	case errors.As(err, &answer):
		return drydock.Principal{}, invalidGrant(50126, a.c.Provider.Name()+" refused the sign-in: "+printable(answer.ErrorCode))
	case err != nil:
		return drydock.Principal{}, err
	}
	p, err := a.admit(r.Context(), o)
	if err == nil && p.Person.Disabled {
		err = disabledAccount()
	}
	return p, err
}
