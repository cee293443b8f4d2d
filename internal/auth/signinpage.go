package auth

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/drydockhq/drydock"
)

// The pages of the authority's host.
const (
	devicePath   = "/device"
	passwordPath = "/password"
)

// pages returns the handler of what people see in a browser. Other sites can't
// have a browser send these forms.
func (a *Authority) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+devicePath, a.devicePage)
	mux.HandleFunc("POST "+devicePath, a.signInDevice)
	for _, flavour := range []string{"/adfs/oauth2/authorize", "/{tenant}/oauth2/authorize", "/{tenant}/oauth2/v2.0/authorize"} {
		mux.HandleFunc("GET "+flavour, a.authorizePage)
		mux.HandleFunc("POST "+flavour, a.signInClient)
	}
	mux.HandleFunc("GET "+passwordPath, a.passwordPage)
	mux.HandleFunc("POST "+passwordPath, a.changePassword)
	mux.HandleFunc("POST /oidc/start", a.startOutside)
	mux.HandleFunc("GET "+callbackPath, a.comeBack)
	return http.NewCrossOriginProtection().Handler(mux)
}

func statusOf(err error) int {
	var known *oauthError
	if errors.As(err, &known) {
		return known.status
	}
	return http.StatusServiceUnavailable
}

// problemOf words an error for people.
func problemOf(err error) string {
	var known *oauthError
	if errors.As(err, &known) {
		return known.message
	}
	return "The server can't do this now. Please try again."
}

// devicePage asks for the code of a device, and then for who signs in.
func (a *Authority) devicePage(w http.ResponseWriter, r *http.Request) {
	code := r.URL.Query().Get("user_code")
	if code == "" {
		a.askCode(w, http.StatusOK, "")
		return
	}
	from := ClientAddress(r)
	// Of its own kind: no login has a space.
	guesser := "codes from " + networkOf(from)
	if wait := a.guard.wait(guesser, from); wait > 0 {
		a.askCode(w, http.StatusTooManyRequests, fmt.Sprintf("There were too many wrong codes. Try again in %d s.", int(wait.Seconds())+1))
		return
	}
	d, found := a.findDevice(code)
	if !found {
		a.guard.failed(guesser, from)
		a.askCode(w, http.StatusNotFound, "That code didn't work. Check it, or begin anew where it was shown.")
		return
	}
	a.show(w, http.StatusOK, a.deviceForm(d, "", ""))
}

func (a *Authority) askCode(w http.ResponseWriter, status int, problem string) {
	a.show(w, status, page{
		Title: "Enter the code", Text: "It is shown where you want to sign in.", Problem: problem, Code: true, Action: devicePath,
	})
}

func (a *Authority) deviceForm(d device, login, problem string) page {
	return page{
		Title: "Sign in to " + d.clientName,
		Text: fmt.Sprintf("The code %s was asked for at %s from the address %s. Go on only if that was you.",
			d.userCode, d.began.UTC().Format("15:04 MST"), d.from),
		Problem: problem, Hidden: map[string]string{"user_code": d.userCode}, Action: devicePath, Login: login,
		SignIn: true, Refusable: true, Outside: a.c.Provider.door(),
	}
}

// signInDevice signs a person in where a code was shown.
func (a *Authority) signInDevice(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.showProblem(w, err)
		return
	}
	code := r.PostForm.Get("user_code")
	d, found := a.findDevice(code)
	if !found {
		a.askCode(w, http.StatusNotFound, "That code has expired. Begin anew where it was shown.")
		return
	}
	if r.PostForm.Get("do") == "refuse" {
		a.refuseDevice(code)
		a.show(w, http.StatusOK, page{Title: "Nobody is signed in", Text: "The code is of no use any more."})
		return
	}
	login := r.PostForm.Get("login")
	p, err := a.CheckPassword(r.Context(), login, r.PostForm.Get("password"), ClientAddress(r))
	if err != nil {
		a.show(w, statusOf(err), a.deviceForm(d, login, problemOf(err)))
		return
	}
	a.finishDevice(w, code, p)
}

func (a *Authority) finishDevice(w http.ResponseWriter, code string, p drydock.Principal) {
	if !a.completeDevice(code, p) {
		a.askCode(w, http.StatusNotFound, "That code has expired. Begin anew where it was shown.")
		return
	}
	a.show(w, http.StatusOK, page{Title: "You are signed in", Text: "You can close this page and go back to where the code was shown."})
}

// authorizePage asks who signs in to a client on the person's machine.
func (a *Authority) authorizePage(w http.ResponseWriter, r *http.Request) {
	z, ok := a.authorizationOf(w, r, r.URL.Query())
	if ok {
		a.show(w, http.StatusOK, a.authorizeForm(r, z, r.URL.RawQuery, r.URL.Query().Get("login_hint"), ""))
	}
}

// authorizationOf reads a request for a code, and answers one that is bad.
func (a *Authority) authorizationOf(w http.ResponseWriter, r *http.Request, form url.Values) (authorization, bool) {
	if t := r.PathValue("tenant"); t != "" && !a.knownTenant(t) {
		a.showProblem(w, a.unknownTenant(t))
		return authorization{}, false
	}
	z, trusted, err := a.readAuthorization(r.Context(), form)
	var known *oauthError
	switch {
	case err == nil:
		return z, true
	case trusted && errors.As(err, &known):
		a.sendBack(w, r, z, url.Values{"error": {known.code}, "error_description": {known.Error()}})
	default:
		a.showProblem(w, err)
	}
	return z, false
}

func (a *Authority) authorizeForm(r *http.Request, z authorization, query, login, problem string) page {
	return page{
		Title: "Sign in to " + z.clientName, Problem: problem, Login: login, SignIn: true, Action: r.URL.Path,
		Hidden: map[string]string{"request": query}, Outside: a.c.Provider.door(),
	}
}

// signInClient signs a person in to a client on the person's machine.
func (a *Authority) signInClient(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.showProblem(w, err)
		return
	}
	query := r.PostForm.Get("request")
	form, err := url.ParseQuery(query)
	if err != nil {
		a.showProblem(w, missing("request"))
		return
	}
	z, ok := a.authorizationOf(w, r, form)
	if !ok {
		return
	}
	login := r.PostForm.Get("login")
	p, err := a.CheckPassword(r.Context(), login, r.PostForm.Get("password"), ClientAddress(r))
	if err != nil {
		a.show(w, statusOf(err), a.authorizeForm(r, z, query, login, problemOf(err)))
		return
	}
	a.finishCode(w, r, z, p)
}

func (a *Authority) finishCode(w http.ResponseWriter, r *http.Request, z authorization, p drydock.Principal) {
	code, err := a.newCode(z, p, ClientAddress(r))
	if err != nil {
		a.showProblem(w, tooMany(err))
		return
	}
	a.sendBack(w, r, z, url.Values{"code": {code}})
}

// sendBack has the browser bring an answer to the client.
func (a *Authority) sendBack(w http.ResponseWriter, r *http.Request, z authorization, answer url.Values) {
	if z.state != "" {
		answer.Set("state", z.state)
	}
	noStore(w)
	to, err := url.Parse(z.redirect)
	if err != nil {
		a.showProblem(w, missing("redirect_uri"))
		return
	}
	switch z.mode {
	case "form_post":
		hidden := map[string]string{}
		for name := range answer {
			hidden[name] = answer.Get(name)
		}
		a.show(w, http.StatusOK, page{Title: "One moment", Post: z.redirect, Hidden: hidden})
		return
	case "fragment":
		to.RawFragment, to.Fragment = "", ""
		http.Redirect(w, r, to.String()+"#"+answer.Encode(), http.StatusSeeOther)
		return
	}
	query := to.Query()
	for name := range answer {
		query.Set(name, answer.Get(name))
	}
	to.RawQuery = query.Encode()
	http.Redirect(w, r, to.String(), http.StatusSeeOther)
}
