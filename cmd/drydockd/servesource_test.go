package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// Git hosts reach the hooks by the public URL, and from this machine by the
// listener's address; in plain text by nothing else.
func TestHooksByAddress(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"public-url": {"https://ci.example"}})
	d.serving(t)
	for name, tt := range map[string]struct {
		method, host, path, remote string
		want                       int
	}{
		"by address":          {"POST", "127.0.0.1:7", "/hooks/git/x", "127.0.0.1:1", http.StatusNotFound},
		"by address, of logs": {"GET", "127.0.0.1:7", "/hooks/git/log/x", "127.0.0.1:1", http.StatusNotFound},
		"a wrong method":      {"PUT", "127.0.0.1:7", "/hooks/git/x", "127.0.0.1:1", http.StatusMethodNotAllowed},
		"by the public URL":   {"POST", "ci.example", "/hooks/git/x", "192.0.2.7:1", http.StatusNotFound},
		"by another name":     {"POST", "other.example", "/hooks/git/x", "192.0.2.7:1", http.StatusForbidden},
		"in plain text":       {"POST", d.names.host("management"), "/hooks/git/x", "127.0.0.1:1", http.StatusForbidden},
		"something else":      {"GET", "ci.example", "/subscriptions", "192.0.2.7:1", http.StatusMisdirectedRequest},
	} {
		r := httptest.NewRequest(tt.method, "http://"+tt.host+tt.path, nil)
		r.RemoteAddr = tt.remote
		w := httptest.NewRecorder()
		d.router().ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("%s: %d: %s", name, w.Code, w.Body)
		}
	}
	if url, problem := d.gitHookURL(t.Context(), "https://git.example/a/b.git", "x"); url != "https://ci.example/hooks/git/x" || problem != "" {
		t.Error(url, problem)
	}
	if link := d.gitLogURL("x"); link != "https://ci.example/hooks/git/log/x" {
		t.Error(link)
	}
}

func TestHookURLs(t *testing.T) {
	t.Parallel()
	d := newDaemon(t, map[string][]string{"sources-log-links": {"false"}})
	defer d.close()
	for repository, local := range map[string]bool{
		"http://127.0.0.1:3000/a/b.git": true, "http://localhost:3000/a/b.git": true, "http://[::1]:3000/a/b.git": true,
		"http://192.0.2.7/a/b.git": false, "https://git.invalid/a/b.git": false, "file:///srv/a": false,
	} {
		url, problem := d.gitHookURL(t.Context(), repository, "x")
		if local && url != "http://"+d.listener.Addr().String()+"/hooks/git/x" || !local && (url != "" || !strings.Contains(problem, "public-url")) {
			t.Errorf("%s: %s, %s", repository, url, problem)
		}
	}
	if link := d.gitLogURL("x"); link != "" {
		t.Error(link)
	}
	if _, _, err := (gitRepositories{d}).Refs(t.Context(), "file:///etc", ""); drydock.CodeOf(err) != drydock.Denied {
		t.Error(err)
	}
}
