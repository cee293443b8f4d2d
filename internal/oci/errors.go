package oci

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/drydockhq/drydock"
)

// problem is an error as the OCI distribution specification has it.
type problem struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// Error returns code and message.
func (p *problem) Error() string { return p.Code + ": " + p.Message }

func newProblem(status int, code, message string) *problem {
	return &problem{Status: status, Code: code, Message: message}
}

func (p *problem) with(detail any) *problem {
	p.Detail = detail
	return p
}

func nameInvalid(err error) *problem {
	return newProblem(http.StatusBadRequest, "NAME_INVALID", err.Error())
}

func digestInvalid(message string) *problem {
	return newProblem(http.StatusBadRequest, "DIGEST_INVALID", message)
}

func manifestInvalid(message string) *problem {
	return newProblem(http.StatusBadRequest, "MANIFEST_INVALID", message)
}

func badRequest(message string) *problem {
	return newProblem(http.StatusBadRequest, "UNSUPPORTED", message)
}

func notFound(message string) *problem {
	return newProblem(http.StatusNotFound, "NOT_FOUND", message)
}

func methodNotAllowed(r *http.Request) *problem {
	return newProblem(http.StatusMethodNotAllowed, "UNSUPPORTED", r.Method+" is not supported here")
}

// problemOf gives an error of a store the form of the specification. unknown is
// the code for what is not there: it depends on what was asked for.
func problemOf(err error, unknown string) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	var missing *drydock.MissingContentError
	if errors.As(err, &missing) {
		return newProblem(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", missing.Error()).
			with(map[string]string{"digest": missing.Digest})
	}
	message := err.Error()
	switch drydock.CodeOf(err) {
	case drydock.NotFound:
		return newProblem(http.StatusNotFound, unknown, message)
	case drydock.Invalid:
		return newProblem(http.StatusBadRequest, "UNSUPPORTED", message)
	case drydock.Conflict:
		// What ACR answers for a locked image.
		return newProblem(http.StatusMethodNotAllowed, "UNSUPPORTED", message)
	case drydock.Denied:
		return newProblem(http.StatusForbidden, "DENIED", message)
	case drydock.Unavailable:
		return newProblem(http.StatusServiceUnavailable, "UNAVAILABLE", message)
	}
	return newProblem(http.StatusInternalServerError, "UNKNOWN", "the registry could not do this; its log says why")
}

// write answers a request with the error.
func (p *problem) write(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, r, p.Status, map[string]any{"errors": []*problem{p}})
}

// writeJSON answers a request with a value as JSON; a HEAD gets its headers.
func writeJSON(w http.ResponseWriter, r *http.Request, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "the answer can't be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(text) // a client that is gone needs no answer
	}
}
