package serve_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// followingTask makes a task that runs at each commit of a repository.
func followingTask(a *serve.Azure, t *testing.T, task, repository string) {
	t.Helper()
	poller, err := a.Tasks.BeginCreate(t.Context(), serve.Group, "contoso", task, armcontainerregistry.Task{
		Location: to.Ptr("here"),
		Properties: &armcontainerregistry.TaskProperties{
			Platform: &armcontainerregistry.PlatformProperties{OS: to.Ptr(armcontainerregistry.OSLinux)},
			Step: &armcontainerregistry.FileTaskStep{
				Type: to.Ptr(armcontainerregistry.StepTypeFileTask), TaskFilePath: to.Ptr("acr-task.yaml"), ContextPath: &repository,
			},
			Trigger: &armcontainerregistry.TriggerProperties{SourceTriggers: []*armcontainerregistry.SourceTrigger{{
				Name: to.Ptr("source"), SourceTriggerEvents: []*armcontainerregistry.SourceTriggerEvent{to.Ptr(armcontainerregistry.SourceTriggerEventCommit)},
				SourceRepository: &armcontainerregistry.SourceProperties{
					SourceControlType: to.Ptr(armcontainerregistry.SourceControlTypeGithub), RepositoryURL: &repository,
					SourceControlAuthProperties: &armcontainerregistry.AuthInfo{TokenType: to.Ptr(armcontainerregistry.TokenTypePAT), Token: to.Ptr("hush-token")},
				},
			}}},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// followed returns how the repositories of tasks are watched, by task.
func followed(a *serve.Azure, t *testing.T) map[string]string {
	t.Helper()
	var list struct {
		Value []struct {
			Name           string
			SourceTriggers []struct{ Problem, Failure string }
		}
	}
	if err := json.Unmarshal([]byte(a.Get("/registries/contoso/taskDependencies")), &list); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, task := range list.Value {
		for _, s := range task.SourceTriggers {
			all[task.Name] = s.Problem + s.Failure
		}
	}
	return all
}

// plainHost serves a git repository, and sends those who ask its host for an API
// elsewhere. It counts them.
func plainHost(t *testing.T, elsewhere string) (url string, asked *atomic.Int32) {
	t.Helper()
	dir := repository(t)
	git, err := serve.GitHandler(filepath.Dir(dir))
	if err != nil {
		t.Fatal(err)
	}
	asked = &atomic.Int32{}
	mux := http.NewServeMux()
	mux.Handle("/"+filepath.Base(dir)+"/", git)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, elsewhere, http.StatusFound)
	})
	host := httptest.NewServer(mux)
	t.Cleanup(host.Close)
	return host.URL + "/" + filepath.Base(dir), asked
}

// What watches repositories reaches no more than runs do: neither what link-local
// addresses serve nor the server itself, by git and by the API of a host.
func TestGitHostsOutOfReach(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	a := s.Azure()
	a.CreateRegistry("contoso")
	own := "https://127.0.0.1:" + s.Port
	redirected, asked := plainHost(t, "http://169.254.169.254/api")
	home, askedHome := plainHost(t, own+"/api")
	want := map[string]string{}
	for task, c := range map[string]struct{ repository, text string }{
		"metadata":   {"http://169.254.169.254/me/app.git", "runs may not reach 169.254.169.254"},
		"listener":   {own + "/me/app.git", "it is this server itself"},
		"management": {"https://" + s.Host("management") + "/me/app.git", "it is this server itself"},
		"redirected": {redirected, "runs may not reach 169.254.169.254"},
		"home":       {home, "it is this server itself"},
	} {
		want[task] = c.text
		followingTask(a, t, task, c.repository)
	}
	for deadline := time.Now().Add(time.Minute); len(want) > 0; time.Sleep(50 * time.Millisecond) {
		got := followed(a, t)
		for task, text := range want {
			if strings.Contains(got[task], text) {
				delete(want, task)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("not said: %q, but %q", want, got)
		}
	}
	if asked.Load() == 0 || askedHome.Load() == 0 {
		t.Error("the git hosts were not asked for an API")
	}
	if strings.Contains(s.Log(), "hush-token") {
		t.Error("a token is in the log")
	}
}
