package arm

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/apierror"
)

// apiError is an error with its place in ARM's scheme of things.
type apiError struct {
	Status  int
	Code    string
	Message string
	Target  string
	Details []apiError
	Allow   string // the methods that are possible, for status 405
}

// Error returns the message.
func (e *apiError) Error() string { return e.Message }

func (e *apiError) body() map[string]any {
	b := map[string]any{"code": e.Code, "message": e.Message}
	if e.Target != "" {
		b["target"] = e.Target
	}
	if len(e.Details) > 0 {
		details := make([]any, len(e.Details))
		for i := range e.Details {
			details[i] = e.Details[i].body()
		}
		b["details"] = details
	}
	return b
}

func badRequest(code, format string, args ...any) *apiError {
	return &apiError{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}

func conflict(code, format string, args ...any) *apiError {
	return &apiError{Status: http.StatusConflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notFound(code, format string, args ...any) *apiError {
	return &apiError{Status: http.StatusNotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

// about sets what part of the request an error is about.
func (e *apiError) about(target string) *apiError {
	e.Target = target
	return e
}

// errorTable says how the codes of the nouns look in ARM.
var errorTable = map[drydock.Code]apierror.Kind{
	drydock.Invalid:     {Status: http.StatusBadRequest, Code: "InvalidRequest"},
	drydock.Failed:      {Status: http.StatusConflict, Code: "OperationFailed"},
	drydock.Unavailable: {Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
	drydock.Denied:      {Status: http.StatusForbidden, Code: "AuthorizationFailed"},
	drydock.NotFound:    {Status: http.StatusNotFound, Code: "ResourceNotFound"},
	drydock.Conflict:    {Status: http.StatusConflict, Code: "Conflict"},
	drydock.Canceled:    {Status: http.StatusConflict, Code: "OperationCanceled"},
}

// apiErrorOf returns err in ARM's form. What is nobody's business but ours is
// told as such; known says whether the text is meant for users.
func apiErrorOf(err error) (e *apiError, known bool) {
	if errors.As(err, &e) {
		return e, true
	}
	told := apierror.Of(err, errorTable)
	return &apiError{Status: told.Status, Code: told.Code, Message: told.Message}, told.Known
}
