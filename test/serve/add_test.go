package serve_test

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// What a Dockerfile adds is fetched by the server, and keeps to the rules of its
// sources: by HTTP, by git, after a redirect.
func TestAddKeepsToTheRulesOfSources(t *testing.T) {
	t.Parallel()
	repo := repository(t)
	update := exec.Command("git", "update-server-info")
	update.Dir = repo
	if out, err := update.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	web := httptest.NewServer(http.StripPrefix("/repo.git", http.FileServer(http.Dir(filepath.Join(repo, ".git")))))
	t.Cleanup(web.Close)
	redirect := httptest.NewServer(http.RedirectHandler("http://169.254.169.254/latest", http.StatusFound))
	t.Cleanup(redirect.Close)
	s := serve.Start(t, serve.Options{Args: []string{hub(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	for what, c := range map[string]struct{ add, end, text string }{
		web.URL + "/repo.git/HEAD":              {"a file", "successful", "refs/heads/trunk"},
		web.URL + "/repo.git#trunk":             {"a repository", "successful", "echo top"},
		"http://169.254.169.254/latest":         {"metadata", "failed", "runs may not reach 169.254.169.254"},
		"http://169.254.169.254/x.git#main":     {"metadata by git", "failed", "169.254.169.254"},
		redirect.URL + "/x":                     {"metadata, redirected", "failed", "runs may not reach 169.254.169.254"},
		redirect.URL + "/x.git#main":            {"metadata by git, redirected", "failed", "403"},
		"https://127.0.0.1:" + s.Port + "/x":    {"the server", "failed", "it is this server itself"},
		"https://" + s.Host("management") + "/": {"the server by name", "failed", "it is this server itself"},
	} {
		source := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: .\n-- Dockerfile --\nFROM busybox\nADD "+what+" /added/\nRUN cat /added/* || true\n")
		text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(source)))
		if end != c.end || !strings.Contains(text, c.text) {
			t.Errorf("%s: %s\n%s", c.add, end, text)
		}
	}
}
