package auth

import (
	"errors"
	"net/http"

	"github.com/drydockhq/drydock"
)

func passwordForm(login, problem string) page {
	return page{
		Title: "Change your password", Problem: problem, Login: login, Action: passwordPath, SignIn: true, Password: true,
	}
}

// passwordPage asks for another password.
func (a *Authority) passwordPage(w http.ResponseWriter, r *http.Request) {
	a.show(w, http.StatusOK, passwordForm(r.URL.Query().Get("login"), ""))
}

// changePassword replaces the password of who knows the one of before.
func (a *Authority) changePassword(w http.ResponseWriter, r *http.Request) {
	if err := a.parseForm(w, r); err != nil {
		a.showProblem(w, err)
		return
	}
	form := r.PostForm
	login, fresh := form.Get("login"), form.Get("new")
	p, err := a.CheckPassword(r.Context(), login, form.Get("password"), ClientAddress(r))
	if errors.Is(err, ErrMustChange) {
		err = nil
	}
	if err != nil {
		a.show(w, statusOf(err), passwordForm(login, problemOf(err)))
		return
	}
	if fresh != form.Get("again") {
		a.show(w, http.StatusBadRequest, passwordForm(login, "The new passwords differ."))
		return
	}
	if fresh == form.Get("password") {
		a.show(w, http.StatusBadRequest, passwordForm(login, "The new password is the old one."))
		return
	}
	if err := drydock.Witnessed(r.Context(), drydock.Act{Principal: p, Action: "Microsoft.Graph/me/changePassword POST", Target: "/v1.0/users/" + p.ID}); err != nil {
		a.showProblem(w, err)
		return
	}
	err = a.directory().SetPassword(r.Context(), p.ID, fresh, false)
	var bad *drydock.Error
	switch {
	case drydock.CodeOf(err) == drydock.Invalid && errors.As(err, &bad):
		a.show(w, http.StatusBadRequest, passwordForm(login, bad.Message))
	case err != nil:
		a.showProblem(w, err)
	default:
		a.show(w, http.StatusOK, page{Title: "The password is changed", Text: "Where you were signed in with the old one, you sign in again."})
	}
}

// directory is what changes the people that this authority knows.
func (a *Authority) directory() *Directory {
	return &Directory{Principals: a.c.Principals, Hasher: a.c.Hasher, Now: a.c.Now, NewID: a.c.NewID}
}
