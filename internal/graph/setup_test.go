package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm/armtest"
	"github.com/drydockhq/drydock/internal/auth"
)

// site is a directory with its authority, and a token of the admin.
type site struct {
	*armtest.Site
	token string
}

func start(t *testing.T) *site {
	t.Helper()
	s := &site{Site: armtest.Start(t)}
	s.token = s.graphToken(t, s.Admin)
	return s
}

func (s *site) graphToken(t *testing.T, c auth.Credentials) string {
	t.Helper()
	return s.TokenFor(t, c, armtest.Graph)
}

// reply is an answer of Graph.
type reply struct {
	status int
	header http.Header
	body   map[string]any
}

func (r reply) code() string {
	e, _ := r.body["error"].(map[string]any)
	code, _ := e["code"].(string)
	return code
}

func (r reply) text(key string) string {
	text, _ := r.body[key].(string)
	return text
}

func (r reply) list(key string) []map[string]any {
	values, _ := r.body[key].([]any)
	list := make([]map[string]any, len(values))
	for i, v := range values {
		list[i], _ = v.(map[string]any)
	}
	return list
}

// do sends a request below /v1.0 with a token.
func (s *site) do(t *testing.T, token, method, path, body string) reply {
	t.Helper()
	if !strings.HasPrefix(path, "https://") {
		path = "https://graph.drydock.test/v1.0" + path
	}
	r := httptest.NewRequestWithContext(t.Context(), method, strings.ReplaceAll(path, " ", "%20"), strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Header.Set("Client-Request-Id", "mine")
	w := httptest.NewRecorder()
	s.Graph.ServeHTTP(w, r)
	answer := reply{status: w.Code, header: w.Result().Header}
	text, err := io.ReadAll(w.Body)
	if err != nil || len(text) > 0 && json.Unmarshal(text, &answer.body) != nil {
		t.Errorf("%s %s answers %q: %v", method, path, text, err)
	}
	return answer
}

// must sends a request as the admin, and expects a status.
func (s *site) must(t *testing.T, status int, method, path, body string) reply {
	t.Helper()
	a := s.do(t, s.token, method, path, body)
	if a.status != status {
		t.Fatalf("%s %s: %d %v", method, path, a.status, a.body)
	}
	return a
}

// decode reads the JSON of an answer.
func decode(t *testing.T, answer *http.Response, to any) {
	t.Helper()
	if err := json.NewDecoder(answer.Body).Decode(to); err != nil {
		t.Fatal(err)
	}
}
