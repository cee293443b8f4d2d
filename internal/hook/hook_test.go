package hook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/hook"
)

// The second test of RFC 4231.
const (
	secret    = "Jefe"
	body      = "what do ya want for nothing?"
	signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
)

func TestSignature(t *testing.T) {
	t.Parallel()
	if got := hook.Signature(secret, []byte(body)); got != signature {
		t.Error(got)
	}
	for name, c := range map[string]struct {
		secret, signature, body string
		want                    bool
	}{
		"right":          {secret, signature, body, true},
		"upper case":     {secret, strings.ToUpper(signature), body, true},
		"another body":   {secret, signature, body + "!", false},
		"another secret": {"jefe", signature, body, false},
		"half":           {secret, signature[:32], body, false},
		"no digits":      {secret, "what", body, false},
		"none":           {secret, "", body, false},
		"no secret":      {"", hook.Signature("", []byte(body)), body, false},
	} {
		if got := hook.Signed(c.secret, c.signature, []byte(c.body)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	whole, over := strings.Repeat("x", hook.MaxBody), strings.Repeat("x", hook.MaxBody+1)
	for name, c := range map[string]struct {
		body   io.Reader
		length int64
		want   int
	}{
		"whole":            {strings.NewReader(whole), hook.MaxBody, 0},
		"too long":         {strings.NewReader(over), hook.MaxBody + 1, http.StatusRequestEntityTooLarge},
		"too long, unsaid": {strings.NewReader(over), -1, http.StatusRequestEntityTooLarge},
		"broken off":       {io.MultiReader(strings.NewReader("x"), brokenOff{}), -1, http.StatusBadRequest},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", c.body)
		r.ContentLength = c.length
		w := httptest.NewRecorder()
		got, status := hook.ReadBody(w, r)
		if status != c.want || status == 0 && string(got) != whole {
			t.Errorf("%s: status %d, %d bytes", name, status, len(got))
		}
		if closes := w.Header().Get("Connection") == "close"; closes != (c.want == http.StatusRequestEntityTooLarge) {
			t.Errorf("%s: the connection is closed: %v", name, closes)
		}
	}
}

type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
