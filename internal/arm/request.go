package arm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// maxBody is ARM's own bound of a request.
const maxBody = 4 << 20

// request is a request that has been routed and authorised.
type request struct {
	*http.Request
	params    map[string]string  // by the names in the route's path
	scope     drydock.ResourceID // that the path names, without a list or an action at its end
	principal drydock.Principal
	rights    auth.Rights
	query     url.Values // its keys in lower case
}

// answer is what a handler says. A nil body sends none.
type answer struct {
	status int
	body   any
	header http.Header
}

func ok(body any) (*answer, error) { return &answer{status: http.StatusOK, body: body}, nil }

// with adds a header.
func (a *answer) with(name, value string) *answer {
	if a.header == nil {
		a.header = http.Header{}
	}
	a.header.Set(name, value)
	return a
}

// serve answers a request whose token is good.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	a, err := s.dispatch(w, r)
	if err != nil {
		s.writeError(w, r, err)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.goesOn() {
		w.Header().Set("Retry-After", pollSeconds)
	}
	s.write(w, r, a.status, a.body)
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request) (*answer, error) {
	route, params, err := s.route(r)
	if err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what is left out may be a filter: the answer would be to another question
		return nil, badRequest("InvalidQueryParameter", "The query of the URL can't be understood: %v. Write '%%3B' for ';' and '%%25' for '%%' in a value.", err)
	}
	req := &request{params: params, query: lowerKeys(query), scope: route.scope(params)}
	if req.query.Get("api-version") == "" {
		return nil, badRequest("MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
	}
	if err := s.authorize(r.Context(), req, route); err != nil {
		return nil, err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	req.Request = r
	return route.handle(req)
}

// authorize sets the principal and its rights, and checks them for the route.
func (s *Server) authorize(ctx context.Context, req *request, route *route) error {
	p, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return errors.New("a request without a principal got past the token check")
	}
	if sub := req.scope.Subscription; sub != "" && !strings.EqualFold(sub, s.c.Subscription) {
		return notFound("SubscriptionNotFound", "The subscription '%s' could not be found.", sub)
	}
	rights, err := auth.RightsOf(ctx, s.c.Roles, p)
	if err != nil {
		return err
	}
	req.principal, req.rights = p, rights
	if err := drydock.Witnessed(ctx, drydock.Act{Principal: p, Action: route.action, Target: req.target()}); err != nil {
		return err
	}
	allow := rights.Allow
	if route.somewhere {
		allow = rights.AllowSomewhere
	}
	if route.action != "" && !allow(route.action, req.scope) {
		return auth.Forbidden(p, route.action, req.scope)
	}
	return nil
}

// target names what a request is about in the audit log.
func (req *request) target() string {
	if req.scope.Subscription == "" {
		return "/"
	}
	return canonical(req.scope).String()
}

func lowerKeys(q url.Values) url.Values {
	low := make(url.Values, len(q))
	for k, v := range q {
		low[strings.ToLower(k)] = append(low[strings.ToLower(k)], v...)
	}
	return low
}

// write sends an answer with the headers that all answers have.
func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, body any) {
	h := w.Header()
	id := s.c.NewID()
	h.Set("X-Ms-Request-Id", id)
	h.Set("X-Ms-Correlation-Request-Id", id)
	if sent := r.Header.Get("X-Ms-Client-Request-Id"); sent != "" && len(sent) <= 128 {
		h.Set("X-Ms-Client-Request-Id", sent)
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	if body == nil || r.Method == http.MethodHead {
		w.WriteHeader(status)
		return
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false) // signed links stay as they are
	if err := e.Encode(body); err != nil {
		s.c.Log.Error("an answer can't be written", "path", r.URL.Path, "error", err)
		status = http.StatusInternalServerError
		text.Reset()
		text.WriteString(`{"error":{"code":"InternalServerError","message":"The answer can't be written."}}`)
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(text.Bytes()) // a client that is gone needs no answer
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e, known := apiErrorOf(err)
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if e.Allow != "" {
		w.Header().Set("Allow", e.Allow)
	}
	s.write(w, r, e.Status, map[string]any{"error": e.body()})
	if !known || e.Status >= http.StatusInternalServerError && e.Status != http.StatusNotImplemented {
		s.c.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path,
			"request", w.Header().Get("X-Ms-Request-Id"), "error", err)
	}
}

// decode reads the JSON object that a request has.
func (req *request) decode() (object, error) {
	d := json.NewDecoder(req.Body)
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return nil, &apiError{Status: http.StatusRequestEntityTooLarge, Code: "RequestContentTooLarge", Message: "The request content is larger than 4 MiB."}
	case err != nil:
		return nil, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
	}
	doc, isObject := v.(map[string]any)
	if !isObject || d.More() {
		return nil, badRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: 'one JSON object is expected'.")
	}
	return doc, nil
}
