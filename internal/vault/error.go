package vault

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/drydockhq/drydock"
)

// Error is an error in the form of Key Vault. It names secrets, and never holds
// their values.
type Error struct {
	Status  int // of HTTP
	Code    string
	Inner   string // code of what is more precise; may be empty
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

func badParameter(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "BadParameter", Message: fmt.Sprintf(format, args...)}
}

func forbidden(inner, format string, args ...any) *Error {
	return &Error{Status: http.StatusForbidden, Code: "Forbidden", Inner: inner, Message: fmt.Sprintf(format, args...)}
}

func secretNotFound(name string) *Error {
	return &Error{
		Status: http.StatusNotFound, Code: "SecretNotFound",
		Message: fmt.Sprintf("A secret with (name/id) %s was not found in this key vault. If you recently deleted this secret you may be able to recover it.", name),
	}
}

func conflict(inner, format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "Conflict", Inner: inner, Message: fmt.Sprintf(format, args...)}
}

func vaultNotFound(name string) *Error {
	return &Error{Status: http.StatusNotFound, Code: "VaultNotFound", Message: fmt.Sprintf("There is no key vault '%s'.", name)}
}

func notSupported(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "NotSupported", Message: fmt.Sprintf(format, args...)}
}

// errorOf returns err in the form of Key Vault; known says whether its text is
// meant for users.
func errorOf(err error) (e *Error, known bool) {
	if errors.As(err, &e) {
		return e, true
	}
	var cause *drydock.Error
	if errors.As(err, &cause) {
		status, code := http.StatusInternalServerError, "InternalServerError"
		switch cause.Code {
		case drydock.Unavailable, drydock.Canceled:
			status, code = http.StatusServiceUnavailable, "ServiceUnavailable"
		case drydock.NotFound:
			status, code = http.StatusNotFound, "SecretNotFound"
		case drydock.Denied:
			status, code = http.StatusForbidden, "Forbidden"
		case drydock.Conflict:
			status, code = http.StatusConflict, "Conflict"
		case drydock.Invalid:
			status, code = http.StatusBadRequest, "BadParameter"
		}
		if status != http.StatusInternalServerError {
			return &Error{Status: status, Code: code, Message: cause.Error()}, true
		}
	}
	return &Error{
		Status: http.StatusInternalServerError, Code: "InternalServerError",
		Message: "The server met an error of its own. Its log says more under the id of this request.",
	}, false
}

// codeOf returns the code of the root package for an error's status.
func codeOf(e *Error) drydock.Code {
	switch e.Status {
	case http.StatusForbidden:
		return drydock.Denied
	case http.StatusNotFound:
		return drydock.NotFound
	case http.StatusConflict:
		return drydock.Conflict
	case http.StatusBadRequest:
		return drydock.Invalid
	case http.StatusServiceUnavailable:
		return drydock.Unavailable
	}
	return drydock.Internal
}
