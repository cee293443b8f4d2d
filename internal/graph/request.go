package graph

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// maxBody bounds a request, in bytes.
const maxBody = 1 << 20

// object is a document, or a part of one.
type object = map[string]any

// request is a request that has been routed and authorised.
type request struct {
	*http.Request
	id        string // in the path: an object id, or appIDKey with an appId
	principal drydock.Principal
	owner     bool // may see and change all
	query     url.Values
}

// answer is what a handler says. A nil body sends none.
type answer struct {
	status int
	body   any
}

func ok(body any) (*answer, error) { return &answer{http.StatusOK, body}, nil }

func done() (*answer, error) { return &answer{http.StatusNoContent, nil}, nil }

// serve answers a request whose token is good.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	a, err := s.dispatch(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	s.write(w, r, s.c.NewID(), a)
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) (*answer, error) {
	route, id, err := s.route(r)
	if err != nil {
		return nil, err
	}
	p, found := auth.PrincipalFrom(r.Context())
	if !found {
		return nil, errors.New("a request without a principal got past the token check")
	}
	rights, err := auth.RightsOf(r.Context(), s.c.Roles, p)
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what is left out may be a filter: the answer would be to another question
		return nil, badRequest("Request_UnsupportedQuery", "The query of the URL can't be understood: %v. Write '%%3B' for ';' and '%%25' for '%%' in a value.", err)
	}
	if err := drydock.Witnessed(r.Context(), drydock.Act{Principal: p, Action: "Microsoft.Graph" + route.path + " " + r.Method, Target: r.URL.Path}); err != nil {
		return nil, err
	}
	req := &request{Request: r, id: id, principal: p, owner: rights.Allow(ownersAction, s.subscription()), query: query}
	if !req.owner && !route.self {
		return nil, denied()
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	return route.handle(req)
}

// decode reads the JSON object that a request has.
func (req *request) decode() (object, error) {
	d := json.NewDecoder(req.Body)
	var doc object
	err := d.Decode(&doc)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &apiError{Status: http.StatusRequestEntityTooLarge, Code: "Request_BadRequest", Message: "The request is larger than 1 MiB."}
	case err != nil || doc == nil || d.More():
		return nil, badRequest("Request_BadRequest", "The request is not one JSON object.")
	}
	return doc, nil
}

// stringAt returns a string of a document, "" for none.
func stringAt(doc object, key string) (string, error) {
	switch v := doc[key].(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	}
	return "", badRequest("Request_BadRequest", "'%s' is not a text.", key)
}

// write sends an answer with the headers that all have.
func (s *Server) write(w http.ResponseWriter, r *http.Request, id string, a *answer) {
	h := w.Header()
	h.Set("Request-Id", id)
	if sent := r.Header.Get("Client-Request-Id"); sent != "" && len(sent) <= 128 {
		h.Set("Client-Request-Id", sent)
	}
	h.Set("Cache-Control", "private, no-store") // secrets are among what is shown
	h.Set("X-Content-Type-Options", "nosniff")
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	text, err := json.Marshal(a.body)
	if err != nil {
		s.c.Log.ErrorContext(r.Context(), "an answer can't be written", "path", r.URL.Path, "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(a.status)
	w.Write(text) // a client that is gone needs no answer
}
