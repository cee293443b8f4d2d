package vaulttest

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// transit is the transit engine's key drydock: what it encrypts is the text with
// its bytes turned over, which is enough to see that nothing else opens it.
type transit struct{ opened atomic.Int64 }

// transitPath returns the operation of a path with the key, and false for others.
func transitPath(path string) (operation string, ok bool) {
	operation, ok = strings.CutPrefix(path, "/v1/transit/")
	if ok {
		operation, ok = strings.CutSuffix(operation, "/drydock")
	}
	return operation, ok
}

func (t *transit) answer(operation string, request io.Reader) (status int, body any) {
	var in struct{ Plaintext, Ciphertext string }
	if json.NewDecoder(request).Decode(&in) != nil {
		return http.StatusBadRequest, nil
	}
	data := map[string]any{}
	switch operation {
	case "encrypt":
		data["ciphertext"] = "vault:v1:" + base64.StdEncoding.EncodeToString([]byte(turned(in.Plaintext)))
	case "decrypt":
		text, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(in.Ciphertext, "vault:v1:"))
		if err != nil {
			return http.StatusBadRequest, nil
		}
		t.opened.Add(1)
		data["plaintext"] = turned(string(text))
	default:
		return http.StatusNotFound, nil
	}
	return http.StatusOK, map[string]any{"data": data}
}

// Opened is how often something was decrypted.
func (h *HashiCorp) Opened() int64 { return h.transit.opened.Load() }

func turned(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] ^= 0x55
	}
	return string(b)
}
