package graph

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/apierror"
)

// apiError is an error with Graph's codes.
type apiError struct {
	Status  int
	Code    string
	Message string
	Allow   string // the methods that are possible, for status 405
}

// Error returns the message.
func (e *apiError) Error() string { return e.Message }

func badRequest(code, format string, args ...any) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notFound(id string) *apiError {
	return &apiError{
		Status: http.StatusNotFound, Code: "Request_ResourceNotFound",
		Message: fmt.Sprintf("There is no such object as '%s' in the directory.", shorten(id)),
	}
}

// denied begins as Graph's own message does: clients look for that.
func denied() *apiError {
	return &apiError{
		Status: http.StatusForbidden, Code: "Authorization_RequestDenied",
		Message: "Insufficient privileges to complete the operation: it takes the role Owner on the subscription.",
	}
}

// errorTable says how the codes of the nouns look in Graph.
var errorTable = map[drydock.Code]apierror.Kind{
	drydock.Invalid:     {Status: http.StatusBadRequest, Code: "Request_BadRequest"},
	drydock.Failed:      {Status: http.StatusBadRequest, Code: "Request_BadRequest"},
	drydock.Unavailable: {Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
	drydock.Denied:      {Status: http.StatusForbidden, Code: "Authorization_RequestDenied"},
	drydock.NotFound:    {Status: http.StatusNotFound, Code: "Request_ResourceNotFound"},
	drydock.Conflict:    {Status: http.StatusConflict, Code: "Request_MultipleObjectsWithSameKeyValue"},
}

// apiErrorOf returns err in Graph's form. known says whether its text is meant
// for users.
func apiErrorOf(err error) (e *apiError, known bool) {
	if errors.As(err, &e) {
		return e, true
	}
	told := apierror.Of(err, errorTable)
	return &apiError{Status: told.Status, Code: told.Code, Message: told.Message}, told.Known
}

func (s *Server) writeError(w http.ResponseWriter, r *http.Request, err error) {
	e, known := apiErrorOf(err)
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if e.Allow != "" {
		w.Header().Set("Allow", e.Allow)
	}
	id := s.c.NewID()
	s.write(w, r, id, &answer{e.Status, object{"error": object{
		"code": e.Code, "message": e.Message,
		"innerError": object{
			"date": s.c.Now().UTC().Format("2006-01-02T15:04:05"), "request-id": id, "client-request-id": r.Header.Get("Client-Request-Id"),
		},
	}}})
	if !known || e.Status >= http.StatusInternalServerError {
		s.c.Log.ErrorContext(r.Context(), "a request failed", "method", r.Method, "path", r.URL.Path, "request", id, "error", err)
	}
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > 120 {
		return string(runes[:120]) + "…"
	}
	return s
}
