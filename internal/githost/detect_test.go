package githost_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
	"github.com/drydockhq/drydock/internal/githost/hosttest"
)

// noNetwork refuses every request.
type noNetwork struct{ t *testing.T }

func (n noNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("asked %s", r.URL)
	return nil, http.ErrServerClosed
}

func TestDetectByName(t *testing.T) {
	t.Parallel()
	o := githost.Options{HTTP: &http.Client{Transport: noNetwork{t}}, Now: time.Now}
	for repository, want := range map[string]githost.Kind{
		"https://github.com/a/b.git#main":                  githost.GitHub,
		"https://GitHub.com/a/b":                           githost.GitHub,
		"github.com/a/b":                                   githost.GitHub,
		"git@github.com:a/b.git":                           githost.GitHub,
		"ssh://git@ssh.github.com:443/a/b.git":             githost.GitHub,
		"https://octocorp.ghe.com/a/b.git":                 githost.GitHub,
		"https://dev.azure.com/o/p/_git/r#main:x":          githost.AzureDevOps,
		"https://o.visualstudio.com/p/_git/r":              githost.AzureDevOps,
		"git@ssh.dev.azure.com:v3/o/p/r":                   githost.AzureDevOps,
		"https://tfs.corp.example/tfs/Collection/p/_git/r": githost.AzureDevOps,
		"https://gitlab.com/g/s/p.git":                     githost.GitLab,
		"https://codeberg.org/a/b.git":                     githost.Gitea,
		"file:///srv/repo":                                 githost.Plain,
		"":                                                 githost.Plain,
	} {
		if got, err := githost.Detect(t.Context(), repository, "token", o); got != want || err != nil {
			t.Errorf("%s is %s, %v", repository, got, err)
		}
	}
}

// A host that asks who wants to know is asked with the token, but no other is
// told it.
func TestDetectKeepsTheToken(t *testing.T) {
	t.Parallel()
	told := make(chan string, 100)
	server := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			told <- r.Header.Get("Authorization")
			if status == http.StatusForbidden && r.Header.Get("Authorization") == "token s3cret" && r.URL.Path == "/sub/api/v1/version" {
				_, _ = w.Write([]byte(`{"version":"1.26"}`))
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<html>"))
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	o := githost.Options{HTTP: http.DefaultClient, Now: time.Now}
	for _, status := range []int{http.StatusOK, http.StatusNotFound} {
		if kind, err := githost.Detect(t.Context(), server(status)+"/a/b.git", "s3cret", o); kind != githost.Plain || err != nil {
			t.Errorf("%d is %s, %v", status, kind, err)
		}
	}
	close(told)
	for header := range told {
		if header != "" {
			t.Errorf("a web server was told %q", header)
		}
	}
	told = make(chan string, 100)
	if kind, err := githost.Detect(t.Context(), server(http.StatusForbidden)+"/sub/a/b.git", "s3cret", o); kind != githost.Gitea || err != nil {
		t.Errorf("a closed Gitea in a folder is %s, %v", kind, err)
	}
}

func TestDetectUnreachable(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(down.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, host := range []string{down.URL, closed.URL} {
		_, err := githost.Detect(t.Context(), host+"/a/b.git", "", githost.Options{HTTP: http.DefaultClient, Now: time.Now})
		if drydock.CodeOf(err) != drydock.Unavailable {
			t.Errorf("%v", err)
		}
	}
}

func TestNotARepository(t *testing.T) {
	t.Parallel()
	for kind, repositories := range map[githost.Kind][]string{
		githost.GitHub:      {"https://github.com/a", "https://github.com/a/b/c", "https://github.com/a/..", "file:///x", "https://github.com/%zz/b"},
		githost.AzureDevOps: {"https://dev.azure.com/o/p/r", "https://dev.azure.com/_git/r", "https://dev.azure.com/o/p/_git/r/x"},
		githost.Gitea:       {"https://h/a"},
		githost.GitLab:      {"https://h/a"},
		githost.Plain:       {"https://h/a/b.git"},
	} {
		for _, repository := range repositories {
			if _, err := githost.New(kind, repository, "", githost.Options{}); drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("%s: %v", repository, err)
			}
		}
	}
}

func TestSameRepository(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"https://h/a/b.git#main:x", "https://h/a/b"}:      true,
		{"https://H/A/b.git", "https://h/a/B.git#dev"}:     true,
		{"git@h:a/b.git", "https://h/a/b.git"}:             true,
		{"https://u:p@h/a/b.git", "https://h/a/b.git"}:     true,
		{"https://h/a/b.git", "https://h/a/c.git"}:         false,
		{"https://h/a/b.git", "https://h:8443/a/b.git"}:    false,
		{"file:///srv/r#main", "file:///srv/r#dev:folder"}: true,
		{"file:///srv/r", "file:///srv/s"}:                 false,
		{"/dev/null", ""}:                                  false,
	} {
		if got := githost.SameRepository(pair[0], pair[1]); got != want {
			t.Errorf("%q: %t", pair, got)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("https://u:p@dev.azure.com/o/My%20Project/_git/r#main:x")
	f.Add("git@h:a/b.git")
	f.Add("file:///srv/../r")
	f.Fuzz(func(t *testing.T, repository string) {
		if !githost.SameRepository(repository, repository+"#x") {
			t.Errorf("%q is not itself", repository)
		}
		for _, kind := range []githost.Kind{githost.GitHub, githost.Gitea, githost.AzureDevOps, githost.GitLab} {
			if _, err := githost.New(kind, repository, "t", githost.Options{}); err != nil && drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("%q: %v", repository, err)
			}
		}
		if strings.ContainsAny(githost.HostName(repository), "/#@") {
			t.Errorf("the host of %q is %q", repository, githost.HostName(repository))
		}
	})
}

func TestFaults(t *testing.T) {
	t.Parallel()
	host := hosttest.NewGitHub(t)
	host.AddToken("full", hosttest.Token{Scopes: []string{"repo"}})
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	api, err := githost.New(githost.GitHub, host.Repository, "full", githost.Options{HTTP: host.Client(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		status int
		header map[string]string
		code   drydock.Code
		until  time.Time
	}{
		"fault":             {http.StatusBadGateway, nil, drydock.Unavailable, time.Time{}},
		"too many":          {http.StatusTooManyRequests, nil, drydock.Unavailable, now.Add(time.Minute)},
		"too many, seconds": {http.StatusTooManyRequests, map[string]string{"Retry-After": "7"}, drydock.Unavailable, now.Add(7 * time.Second)},
		"rate limit": {
			http.StatusForbidden,
			map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1772600800"},
			drydock.Unavailable, time.Unix(1772600800, 0),
		},
		"secondary limit": {http.StatusForbidden, map[string]string{"Retry-After": "60"}, drydock.Unavailable, now.Add(time.Minute)},
		"forbidden":       {http.StatusForbidden, nil, drydock.Denied, time.Time{}},
		"invalid":         {http.StatusUnprocessableEntity, nil, drydock.Invalid, time.Time{}},
		"no JSON":         {http.StatusOK, nil, drydock.Unavailable, time.Time{}},
	} {
		host.Refuse(func(w http.ResponseWriter, _ *http.Request) {
			for key, value := range tt.header {
				w.Header().Set(key, value)
			}
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(`{"message":"the reason",`))
		})
		_, err := api.Pulls(t.Context())
		until, asked := githost.RetryAfter(err)
		if drydock.CodeOf(err) != tt.code || !until.Equal(tt.until) || asked != !tt.until.IsZero() {
			t.Errorf("%s: %v until %v", name, err, until)
		}
	}
	host.Refuse(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"message":"Resource not\naccessible"}`))
	})
	if _, err := api.CreateHook(t.Context(), githost.Hook{Push: true}); !strings.Contains(err.Error(), "403 Forbidden: Resource not accessible") || !strings.Contains(err.Error(), "admin:repo_hook") {
		t.Error(err)
	}
}

// Tokens stay with their host.
func TestRedirectsLoseTheToken(t *testing.T) {
	t.Parallel()
	told := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		told <- r.Header.Get("Authorization") + r.Header.Get("Private-Token")
	}))
	t.Cleanup(thief.Close)
	away := strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, away+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(host.Close)
	for kind, path := range map[githost.Kind]string{
		githost.GitHub: "/a/b", githost.Gitea: "/a/b", githost.GitLab: "/a/b", githost.AzureDevOps: "/o/p/_git/r",
	} {
		api, err := githost.New(kind, host.URL+path, "s3cret", githost.Options{HTTP: http.DefaultClient, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := api.Pulls(t.Context()); err == nil {
			t.Errorf("%s: no error", kind)
		}
		select {
		case header := <-told:
			if header != "" {
				t.Errorf("%s: another host was told %q", kind, header)
			}
		default: // it was not even asked
		}
	}
}
