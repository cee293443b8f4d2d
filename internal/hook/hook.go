// Package hook has what those who call webhooks share with those who are called:
// signatures and bodies.
package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"time"
)

// Signature returns the signature of a body: its HMAC-SHA256 in hexadecimal
// digits, the form that GitHub made common.
func Signature(secret string, body []byte) string { return hex.EncodeToString(mac(secret, body)) }

// Signed reports whether a signature is that of a body. Nothing is signed with
// an empty secret.
func Signed(secret, signature string, body []byte) bool {
	given, err := hex.DecodeString(signature)
	return secret != "" && err == nil && hmac.Equal(given, mac(secret, body))
}

func mac(secret string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return m.Sum(nil)
}

const (
	// MaxBody is the size of a delivery, in bytes, beyond which it is refused.
	MaxBody = 1 << 20
	// patience is how long a delivery may take to come.
	patience = 30 * time.Second
)

// ReadBody reads a delivery, or returns the status to refuse it with, 0 for none.
// One that says that it is too long isn't read at all.
func ReadBody(w http.ResponseWriter, r *http.Request) (body []byte, status int) {
	var long *http.MaxBytesError
	if r.ContentLength > MaxBody {
		return nil, tooLong(w)
	}
	// Whoever is slow must not hold the memory of many.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(patience)) // not all kinds of writer can
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	switch {
	case errors.As(err, &long):
		return nil, tooLong(w)
	case err != nil:
		return nil, http.StatusBadRequest
	}
	return body, 0
}

func tooLong(w http.ResponseWriter) int {
	w.Header().Set("Connection", "close") // what comes still is not read
	return http.StatusRequestEntityTooLarge
}
