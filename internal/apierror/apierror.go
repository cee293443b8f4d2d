// Package apierror turns errors into what an API of the server tells of them.
package apierror

import (
	"context"
	"errors"
	"net/http"

	"github.com/drydockhq/drydock"
)

// Kind is how errors of one code look in an API.
type Kind struct {
	Status int    // of HTTP
	Code   string // the API's own
}

// Text is what a client is told of an error.
type Text struct {
	Kind
	Message string
	// Known says that the message is about the error. Of others only the server's
	// log tells: their text is not meant for users.
	Known bool
}

// Of returns what is told of err, whose codes look in the API as the table says.
func Of(err error, table map[drydock.Code]Kind) Text {
	if kind, ok := table[drydock.CodeOf(err)]; ok {
		var cause *drydock.Error
		errors.As(err, &cause)
		message := cause.Message
		if cause.Hint != "" {
			message += " (" + cause.Hint + ")"
		}
		return Text{kind, message, true}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Text{Kind{http.StatusServiceUnavailable, "ServiceUnavailable"}, "The request was cut off.", true}
	}
	return Text{
		Kind{http.StatusInternalServerError, "InternalServerError"},
		"The server met an error of its own. Its log says more under the id of this request.", false,
	}
}
