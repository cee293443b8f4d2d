package gitea_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	acr "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// site is a server and a git host with a repository that tasks are made from.
type site struct {
	*testing.T
	server *serve.Server
	azure  *serve.Azure
	git    *gitea.Server
	owner  *gitea.User
	url    string // of the repository
	clone  *gitea.Clone
	seen   map[string]bool // runs
}

const repository = "/repos/pat/app"

func newSite(t *testing.T, args ...string) *site {
	hub := registry.Start(t, registry.Options{})
	if err := images.Push(t.Context(), hub.Host, images.Busybox+"=library/"+images.Busybox); err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, git: gitea.Start(t), seen: map[string]bool{}}
	s.owner = s.git.User("pat")
	s.url = s.owner.Repository("app", true)
	s.clone = s.owner.Clone(s.url, t.TempDir())
	s.clone.Commit("acr-task.yaml", "steps:\n- cmd: busybox echo commit {{.Run.Commit}} of {{.Run.Branch}} by {{.Run.TriggeredBy}} hushed {{.Values.hush}}\n")
	s.clone.Git("push", "--quiet", "origin", "main")
	s.server = serve.Start(t, serve.Options{Args: append(args, "--registries-mirrors=docker.io=http://"+hub.Host)})
	s.azure = s.server.Azure()
	s.azure.CreateRegistry("contoso")
	return s
}

// task makes a task that follows the repository with a token.
func (s *site) task(name, token string, events ...acr.SourceTriggerEvent) {
	s.Helper()
	wanted := make([]*acr.SourceTriggerEvent, len(events))
	for i, e := range events {
		wanted[i] = &e
	}
	context := s.url + "#main"
	poller, err := s.azure.Tasks.BeginCreate(s.Context(), serve.Group, "contoso", name, acr.Task{
		Location: to.Ptr("here"),
		Properties: &acr.TaskProperties{
			Platform: &acr.PlatformProperties{OS: to.Ptr(acr.OSLinux)},
			Step: &acr.FileTaskStep{
				Type: to.Ptr(acr.StepTypeFileTask), TaskFilePath: to.Ptr("acr-task.yaml"), ContextPath: &context, ContextAccessToken: &token,
				Values: []*acr.SetValue{{Name: to.Ptr("hush"), Value: to.Ptr("s3cret-value"), IsSecret: to.Ptr(true)}},
			},
			Trigger: &acr.TriggerProperties{SourceTriggers: []*acr.SourceTrigger{{
				Name: to.Ptr("defaultSourceTriggerName"), SourceTriggerEvents: wanted,
				SourceRepository: &acr.SourceProperties{
					// What the client takes the host for.
					SourceControlType: to.Ptr(acr.SourceControlTypeVisualStudioTeamService), RepositoryURL: &context, Branch: to.Ptr("main"),
					SourceControlAuthProperties: &acr.AuthInfo{TokenType: to.Ptr(acr.TokenTypePAT), Token: &token, Scope: to.Ptr("repo")},
				},
			}}},
		},
	}, nil)
	if err == nil {
		_, err = poller.PollUntilDone(s.Context(), nil)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// hooks returns the URLs of the repository's webhooks.
func (s *site) hooks() []string {
	s.Helper()
	var list []struct{ Config struct{ URL string } }
	if err := s.owner.Call(http.MethodGet, repository+"/hooks", nil, &list); err != nil {
		s.Fatal(err)
	}
	var urls []string
	for _, h := range list {
		urls = append(urls, h.Config.URL)
	}
	return urls
}

// until waits for something that the test can only ask for.
func (s *site) until(what string, done func() bool) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatal("in a minute not: ", what, "\n", s.server.Log())
		}
	}
}

// run waits for a new run, and for its end, and returns it with its log.
func (s *site) run(what string) (properties *acr.RunProperties, text, end string) {
	s.Helper()
	s.until("a run for "+what, func() bool {
		page, err := s.azure.Runs.NewListPager(serve.Group, "contoso", nil).NextPage(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, r := range page.Value {
			if id := *r.Properties.RunID; !s.seen[id] {
				s.seen[id] = true
				properties = r.Properties
				return true
			}
		}
		return false
	})
	text, end = s.azure.WaitLog("contoso", *properties.RunID)
	return s.azure.Run("contoso", *properties.RunID), text, end
}

// said waits until the git host was told how a commit ended, and returns the link
// to more.
func (s *site) said(commit string, want drydock.CommitState) string {
	s.Helper()
	var link string
	s.until("the status "+string(want)+" of "+commit, func() bool {
		said := s.owner.Statuses(repository, commit)
		for _, status := range said {
			if status.Context == "drydock/contoso/app" && status.State == want {
				link = status.URL
				return said[0].State == drydock.CommitPending
			}
		}
		return false
	})
	return link
}

// From a task's creation to its end: a webhook, a push, a run, a status with a
// log, pull requests of friends and strangers, and nothing left.
func TestTaskWithAToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.owner.Token("drydock", "write:repository")
	s.task("app", token, acr.SourceTriggerEventCommit, acr.SourceTriggerEventPullrequest)
	s.until("a webhook", func() bool { return len(s.hooks()) == 1 })
	if url := s.hooks()[0]; !strings.HasPrefix(url, "http://"+s.server.Addr+"/hooks/git/") {
		t.Errorf("the webhook calls %s", url)
	}
	shown, err := s.azure.Tasks.Get(t.Context(), serve.Group, "contoso", "app", nil)
	if text, _ := json.Marshal(shown.Task); err != nil || strings.Contains(string(text), token) {
		t.Errorf("%v: the task shows its token: %s", err, text)
	}
	details, err := s.azure.Tasks.GetDetails(t.Context(), serve.Group, "contoso", "app", nil)
	if err != nil || *details.Properties.Trigger.SourceTriggers[0].SourceRepository.SourceControlAuthProperties.Token != token {
		t.Errorf("%v: the details have no token: %+v", err, details)
	}

	s.clone.Commit("a", "1")
	commit := s.clone.Commit("a", "2")
	begun := time.Now()
	s.clone.Git("push", "--quiet", "origin", "main")
	pushed := time.Now()
	run, text, end := s.run("a push of two commits")
	t.Logf("the push took %v, the run was created %v after it and started %v after that",
		pushed.Sub(begun), run.CreateTime.Sub(pushed), run.StartTime.Sub(*run.CreateTime))
	if trigger := run.SourceTrigger; end != "successful" || *trigger.EventType != "Commit" || *trigger.CommitID != commit ||
		*trigger.BranchName != "main" || *trigger.ProviderType != "Gitea" || *run.RunType != acr.RunTypeAutoRun ||
		!strings.Contains(text, "commit "+commit+" of main by Source hushed ***") {
		t.Errorf("%s: %+v\n%s", end, trigger, text)
	}
	s.readLog(s.said(commit, drydock.CommitSuccess), "commit "+commit)

	commit = s.clone.Commit("acr-task.yaml", "steps:\n- cmd: busybox false\n")
	s.clone.Git("push", "--quiet", "origin", "main")
	if _, text, end = s.run("a push of what fails"); end != "failed" {
		t.Errorf("%s\n%s", end, text)
	}
	s.said(commit, drydock.CommitFailure)
	s.clone.Git("revert", "--no-edit", "HEAD")
	s.clone.Git("push", "--quiet", "origin", "main")
	s.run("a push of what works again")

	s.clone.Git("checkout", "--quiet", "-b", "topic")
	commit = s.clone.Commit("b", "1")
	s.clone.Git("push", "--quiet", "origin", "topic")
	s.pull(s.owner, "topic")
	run, text, end = s.run("a pull request")
	if trigger := run.SourceTrigger; end != "successful" || *trigger.EventType != "Pull Request" || *trigger.CommitID != commit ||
		*trigger.PullRequestID != "1" || !strings.Contains(text, "commit "+commit+" of topic by Source hushed ***") {
		t.Errorf("%s: %+v\n%s", end, trigger, text)
	}
	s.said(commit, drydock.CommitSuccess)
	s.strangers()

	s.task("second", token, acr.SourceTriggerEventCommit)
	s.until("a second webhook", func() bool { return len(s.hooks()) == 2 })
	deleted, err := s.azure.Tasks.BeginDelete(t.Context(), serve.Group, "contoso", "app", nil)
	if err == nil {
		_, err = deleted.PollUntilDone(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.until("one webhook less", func() bool { return len(s.hooks()) == 1 })
	group, err := s.azure.Groups.BeginDelete(t.Context(), serve.Group, nil)
	if err == nil {
		_, err = group.PollUntilDone(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.until("no webhook", func() bool { return len(s.hooks()) == 0 })
	if strings.Contains(s.server.Log(), token) {
		t.Error("the server's log holds the token")
	}
}

// pull opens a pull request into main.
func (s *site) pull(author *gitea.User, head string) {
	s.Helper()
	if err := author.Call(http.MethodPost, repository+"/pulls", map[string]string{"title": "x", "base": "main", "head": head}, nil); err != nil {
		s.Fatal(err)
	}
}

// strangers open pull requests, by a fork and by a push to refs/for: their runs
// get no secrets.
func (s *site) strangers() {
	s.Helper()
	sam := s.git.User("sam")
	if err := s.owner.Call(http.MethodPut, repository+"/collaborators/sam", map[string]string{"permission": "read"}, nil); err != nil {
		s.Fatal(err)
	}
	var fork struct {
		CloneURL string `json:"clone_url"`
	}
	if err := sam.Call(http.MethodPost, repository+"/forks", map[string]string{}, &fork); err != nil {
		s.Fatal(err)
	}
	task := "steps:\n- cmd: busybox echo I am {{.Values.hush}}.\n- push: ['{{.Run.Registry}}/stolen']\n- cmd: busybox echo done\n"
	clone := sam.Clone(fork.CloneURL, s.TempDir())
	commit := clone.Commit("acr-task.yaml", task)
	clone.Git("push", "--quiet", "origin", "HEAD:refs/heads/evil")
	s.pull(sam, "sam:evil")
	s.stranger(commit)

	clone = sam.Clone(s.url, s.TempDir())
	commit = clone.Commit("acr-task.yaml", task+"# again\n")
	clone.Git("push", "--quiet", "origin", "HEAD:refs/for/main/topic")
	s.stranger(commit)
}

func (s *site) stranger(commit string) {
	s.Helper()
	run, text, end := s.run("a stranger's pull request")
	if end != "successful" || *run.SourceTrigger.CommitID != commit || !strings.Contains(text, "I am .") ||
		!strings.Contains(text, "Pushing nothing") || strings.Contains(text, "s3cret") || len(run.OutputImages) > 0 {
		s.Errorf("%s: %+v\n%s", end, run.SourceTrigger, text)
	}
	if raw := s.azure.RawRun("contoso", *run.RunID); !strings.Contains(raw, "gets no secrets") {
		s.Errorf("the run does not say that it is not trusted: %s", raw)
	}
	s.said(commit, drydock.CommitSuccess)
}

// readLog reads the log behind a link, as anybody may who has it.
func (s *site) readLog(link, want string) {
	s.Helper()
	resp, err := s.server.HTTP().Get(link)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.Contains(string(text), want) ||
		!strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		s.Errorf("%s: %s, %v, %v\n%s", link, resp.Status, resp.Header, err, text)
	}
	resp, err = s.server.HTTP().Get(link + "x")
	if err != nil {
		s.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		s.Errorf("another link: %s", resp.Status)
	}
}

// A token that may only read: one warning, and the repository is polled.
func TestTokenThatMayOnlyRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, "--sources-poll=1s")
	s.task("app", s.owner.Token("drydock", "read:repository"), acr.SourceTriggerEventCommit, acr.SourceTriggerEventPullrequest)
	s.until("a warning", func() bool { return strings.Contains(s.server.Log(), "polled instead") })
	commit := s.clone.Commit("a", "1")
	s.clone.Git("push", "--quiet", "origin", "main")
	run, text, end := s.run("a push")
	if end != "successful" || *run.SourceTrigger.CommitID != commit {
		t.Errorf("%s: %+v\n%s", end, run.SourceTrigger, text)
	}
	s.clone.Git("checkout", "--quiet", "-b", "topic")
	commit = s.clone.Commit("b", "1")
	s.clone.Git("push", "--quiet", "origin", "topic")
	s.pull(s.owner, "topic")
	if run, text, end = s.run("a pull request"); end != "successful" || *run.SourceTrigger.CommitID != commit {
		t.Errorf("%s: %+v\n%s", end, run.SourceTrigger, text)
	}
	if n := strings.Count(s.server.Log(), "polled instead"); n != 1 || len(s.hooks()) > 0 {
		t.Errorf("warned %d times, webhooks %v", n, s.hooks())
	}
	s.until("a warning of statuses", func() bool { return strings.Contains(s.server.Log(), "was not told") })
}
