package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// A request that panics ends alone, and its log says where and what, with nothing
// that a client sent but the path.
func TestPanicsOfRequests(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := &hostRouter{
		names: hostNames{"x.test", 443}, log: slog.New(slog.NewJSONHandler(&log, nil)),
		services: map[drydock.HostKind]http.Handler{drydock.ManagementHost: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			given := []string{r.Header.Get("Authorization"), r.FormValue("password"), r.URL.RawQuery}
			given[len(given[0])] = "hush-written"
		})},
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "https://management.x.test/somewhere?sig=hush-signature", strings.NewReader("password=hush-password"))
	r.Header.Set("Authorization", "Bearer hush-token")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler {
				t.Errorf("the connection ends with %v", p)
			}
		}()
		h.ServeHTTP(httptest.NewRecorder(), r)
	}()
	var line struct{ Host, Path, Stack string }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil || line.Path != "/somewhere" {
		t.Errorf("%v: the log is %s", err, log.String())
	}
	if !strings.Contains(line.Stack, "TestPanicsOfRequests") || line.Host != "management.x.test" {
		t.Errorf("the log is %s", log.String())
	}
	if strings.Contains(log.String(), "hush-") {
		t.Errorf("a secret is in the log: %s", log.String())
	}
}
