package arm

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

var generateFields = []field{
	{path: "tokenId", kind: aString, required: true, min: 1, max: 1024},
	{path: "expiry", kind: aString},
	anyOf("name", "password1", "password2"),
}

// tokenPasswords are the names of the passwords that a token can have.
var tokenPasswords = []string{"password1", "password2"}

// generateCredentials makes new passwords for a token: the one that is named, or
// both. They are shown this once.
func (s *Server) generateCredentials(req *request) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(doc, generateFields); err != nil {
		return nil, err
	}
	id, err := s.tokenOf(req, text(doc, "tokenId"))
	if err != nil {
		return nil, err
	}
	expires, err := s.expiry(text(doc, "expiry"))
	if err != nil {
		return nil, err
	}
	names := tokenPasswords
	if name := text(doc, "name"); name != "" {
		names = []string{strings.ToLower(name)}
	}
	var made []drydock.TokenPassword
	var shown []any
	for _, name := range names {
		secret, p, err := s.c.Tokens.NewPassword(req.Context(), name, expires)
		if err != nil {
			return nil, err
		}
		view := passwordDoc(p)
		view["value"] = secret
		made, shown = append(made, p), append(shown, view)
	}
	if err := s.replacePasswords(req, id, made); err != nil {
		return nil, err
	}
	return ok(object{"username": id.Name(), "passwords": shown})
}

// tokenOf returns the id of a token of the request's registry, which must be
// there.
func (s *Server) tokenOf(req *request, text string) (drydock.ResourceID, error) {
	id, err := drydock.ParseResourceID(text)
	if err != nil || id.Parent().Key() != req.scope.Key() || !strings.EqualFold(id.Type(), tokenType) {
		return id, badRequest("InvalidTokenId", "'%s' is no token of the registry '%s'.", shorten(text), req.scope.Name()).about("tokenId")
	}
	st, err := s.find(req.Context(), id)
	if err != nil {
		return id, err
	}
	return st.ID, s.mutable(req.Context(), st.ID)
}

// replacePasswords gives a token new passwords in place of those of the same
// names.
func (s *Server) replacePasswords(req *request, id drydock.ResourceID, made []drydock.TokenPassword) error {
	_, err := s.change(req.Context(), id, func(st *stored) error {
		if !st.exists() {
			_, err := s.find(req.Context(), id)
			return err
		}
		passwords, err := s.c.Tokens.Passwords(st.Resource)
		if err != nil {
			return err
		}
		passwords = slices.DeleteFunc(passwords, func(old drydock.TokenPassword) bool {
			return slices.ContainsFunc(made, func(p drydock.TokenPassword) bool { return p.Name == old.Name })
		})
		passwords = append(passwords, made...)
		slices.SortFunc(passwords, func(a, b drydock.TokenPassword) int { return cmp.Compare(a.Name, b.Name) })
		st.Resource, err = s.c.Tokens.WithPasswords(st.Resource, passwords)
		return err
	})
	return err
}

// expiryForms are how clients write times: with a zone and, as Python does,
// without one.
var expiryForms = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02"}

// neverExpires is the first year of which az's datetime.max is one.
const neverExpires = 9999

// expiry reads when passwords expire; an empty text, and the last year that
// there is, stand for never.
func (s *Server) expiry(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range expiryForms {
		at, err := time.Parse(form, text)
		switch {
		case err != nil:
			continue
		case at.Year() >= neverExpires:
			return time.Time{}, nil
		case !at.After(s.c.Now()):
			return at, badRequest("InvalidExpiry", "The passwords would expire at %s, which has passed.", at.UTC().Format(time.RFC3339)).about("expiry")
		}
		return at.UTC(), nil
	}
	return time.Time{}, badRequest("InvalidExpiry", "The expiry '%s' is not a time such as 2030-12-31T12:59:59Z.", shorten(text)).about("expiry")
}
