package auth

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// oauthError is an answer of the token endpoint, with the numbers that
// Microsoft's authority has for it: clients look at them.
type oauthError struct {
	status  int
	code    string // of RFC 6749 §5.2
	number  int    // AADSTS…
	message string
}

// Error returns the message with its number.
func (e *oauthError) Error() string { return fmt.Sprintf("AADSTS%d: %s", e.number, e.message) }

func missing(parameter string) *oauthError {
	return &oauthError{
		http.StatusBadRequest, "invalid_request", 900144,
		fmt.Sprintf("The request body must contain the following parameter: '%s'.", parameter),
	}
}

func (a *Authority) unknownTenant(name string) *oauthError {
	return &oauthError{
		http.StatusBadRequest, "invalid_tenant", 90002,
		fmt.Sprintf("Tenant '%s' not found. The tenant of this server is '%s'.", printable(name), a.c.Tenant),
	}
}

type oauthBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Codes       []int  `json:"error_codes"`
	Timestamp   string `json:"timestamp"`
	TraceID     string `json:"trace_id"`
	Correlation string `json:"correlation_id"`
}

// refuse writes an error in Microsoft's form. One that is not the client's is
// told without what it was.
func (a *Authority) refuse(w http.ResponseWriter, err error) {
	var known *oauthError
	if !errors.As(err, &known) {
		known = &oauthError{http.StatusServiceUnavailable, "temporarily_unavailable", 90033, "A transient error has occurred. Please try again."}
	}
	id, now := a.c.NewID(), a.c.Now().UTC().Format("2006-01-02 15:04:05Z")
	if known.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+a.c.Tenant+`"`)
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, known.status, oauthBody{
		Error:       known.code,
		Description: fmt.Sprintf("%s Trace ID: %s Correlation ID: %s Timestamp: %s", known.Error(), id, id, now),
		Codes:       []int{known.number},
		Timestamp:   now, TraceID: id, Correlation: id,
	})
}

// printable shortens what came from outside and takes control characters out.
func printable(s string) string { return printableUpTo(s, 100) }

func printableUpTo(s string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
	if runes := []rune(clean); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return clean
}
