package githost_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/githost"
)

const secret = "s3cret"

// delivery returns the header with which a host would deliver a body.
func delivery(kind githost.Kind, event, body string) http.Header {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	sum := hex.EncodeToString(mac.Sum(nil))
	r := &http.Request{Header: http.Header{}}
	switch kind {
	case githost.GitHub:
		r.Header.Set("X-Hub-Signature-256", "sha256="+sum)
		r.Header.Set("X-GitHub-Event", event)
	case githost.Gitea:
		r.Header.Set("X-Gitea-Signature", sum)
		r.Header.Set("X-Gitea-Event", event)
	case githost.GitLab:
		r.Header.Set("X-Gitlab-Token", secret)
		r.Header.Set("X-Gitlab-Event", event)
	case githost.AzureDevOps:
		r.SetBasicAuth("drydock", secret)
	}
	return r.Header
}

const zeros = "0000000000000000000000000000000000000000"

func TestReceive(t *testing.T) {
	t.Parallel()
	pull := func(head, base string) string {
		return `{"action":"opened","pull_request":{"number":7,"state":"open","head":{"ref":"t","sha":"c","repo":` + head + `},"base":{"ref":"main","repo":` + base + `}}}`
	}
	forked := drydock.SourceChange{Action: "opened", Pull: "7", Ref: "refs/heads/main", Branch: "t", Commit: "c", PullRef: "refs/pull/7/head", AllPaths: true, Fork: true}
	own := forked
	own.Fork = false
	flow := forked
	flow.Branch = "refs/pull/7/head"
	for name, tt := range map[string]struct {
		kind        githost.Kind
		event, body string
		want        []drydock.SourceChange
	}{
		"ping":    {githost.GitHub, "ping", `{"zen":"x"}`, nil},
		"another": {githost.Gitea, "issues", `{"action":"opened"}`, nil},
		"paths": {
			githost.GitHub, "push", `{"ref":"refs/heads/a","before":"b","after":"c","sender":{"login":"pat"},"repository":{"clone_url":"u"},
				"commits":[{"added":["1"],"modified":["2"]},{"removed":["3"]}]}`,
			[]drydock.SourceChange{{Ref: "refs/heads/a", Before: "b", Commit: "c", Actor: "pat", Repository: "u", Paths: []string{"1", "2", "3"}}},
		},
		"forced": {
			githost.GitHub, "push", `{"ref":"refs/heads/a","before":"b","after":"c","forced":true,"commits":[{"added":["1"]}]}`,
			[]drydock.SourceChange{{Ref: "refs/heads/a", Before: "b", Commit: "c", AllPaths: true}},
		},
		"not all commits": {
			githost.Gitea, "push", `{"ref":"refs/heads/a","before":"b","after":"c","total_commits":9,"commits":[{"added":["1"]}]}`,
			[]drydock.SourceChange{{Ref: "refs/heads/a", Before: "b", Commit: "c", AllPaths: true}},
		},
		"new tag": {
			githost.GitHub, "push", `{"ref":"refs/tags/v1","before":"` + zeros + `","after":"c"}`,
			[]drydock.SourceChange{{Ref: "refs/tags/v1", Commit: "c", AllPaths: true}},
		},
		"deleted": {
			githost.GitHub, "push", `{"ref":"refs/heads/a","before":"b","after":"` + zeros + `","commits":[]}`,
			[]drydock.SourceChange{{Ref: "refs/heads/a", Before: "b", AllPaths: true}},
		},
		"own pull":     {githost.GitHub, "pull_request", pull(`{"id":1}`, `{"id":1}`), []drydock.SourceChange{own}},
		"forked pull":  {githost.GitHub, "pull_request", pull(`{"id":2}`, `{"id":1}`), []drydock.SourceChange{forked}},
		"deleted fork": {githost.GitHub, "pull_request", pull(`null`, `{"id":1}`), []drydock.SourceChange{forked}},
		"nobody's":     {githost.Gitea, "pull_request", pull(`null`, `null`), []drydock.SourceChange{forked}},
		"push for":     {githost.Gitea, "pull_request", strings.Replace(pull(`{"id":1}`, `{"id":1}`), `"ref":"t"`, `"ref":"refs/pull/7/head"`, 1), []drydock.SourceChange{flow}},
		"labeled":      {githost.GitHub, "pull_request", strings.Replace(pull(`{"id":1}`, `{"id":1}`), "opened", "labeled", 1), nil},
		"merged": {
			githost.GitLab, "Merge Request Hook", `{"object_attributes":{"action":"merge","iid":7,"state":"merged","target_branch":"main","source_branch":"t","last_commit":{"id":"c"}}}`,
			[]drydock.SourceChange{{Action: "closed", Pull: "7", Ref: "refs/heads/main", Branch: "t", Commit: "c", PullRef: "refs/merge-requests/7/head", AllPaths: true, Fork: true}},
		},
		"title of merge": {githost.GitLab, "Merge Request Hook", `{"object_attributes":{"action":"update","iid":7,"state":"opened"}}`, nil},
		"two refs": {
			githost.AzureDevOps, "", `{"eventType":"git.push","resource":{"refUpdates":[{"name":"refs/heads/a","oldObjectId":"b","newObjectId":"c"},
				{"name":"refs/heads/d","oldObjectId":"` + zeros + `","newObjectId":"e"}],"pushedBy":{"displayName":"Pat"}}}`,
			[]drydock.SourceChange{{Ref: "refs/heads/a", Before: "b", Commit: "c", Actor: "Pat", AllPaths: true}, {Ref: "refs/heads/d", Commit: "e", Actor: "Pat", AllPaths: true}},
		},
		"abandoned": {githost.AzureDevOps, "", `{"eventType":"git.pullrequest.updated","resource":{"pullRequestId":7,"status":"abandoned","targetRefName":"refs/heads/main"}}`, nil},
		"work item": {githost.AzureDevOps, "", `{"eventType":"workitem.created","resource":{}}`, nil},
	} {
		d, err := githost.Receive(tt.kind, secret, delivery(tt.kind, tt.event, tt.body), []byte(tt.body))
		for i := range tt.want {
			tt.want[i].Provider = string(tt.kind)
		}
		if diff := cmp.Diff(tt.want, d.Changes); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestReceiveWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for kind, event := range map[githost.Kind]string{githost.GitHub: "push", githost.Gitea: "pull_request", githost.GitLab: "Push Hook", githost.AzureDevOps: ""} {
		for _, body := range []string{"", "{", "[]", `{"eventType":"git.push","resource":[]}`, `{"ref":1,"eventType":"git.push"}`} {
			_, err := githost.Receive(kind, secret, delivery(kind, event, body), []byte(body))
			if drydock.CodeOf(err) != drydock.Invalid && err != nil {
				t.Errorf("%s: %q: %v", kind, body, err)
			}
		}
	}
	if _, err := githost.Receive(githost.Plain, secret, http.Header{}, nil); drydock.CodeOf(err) != drydock.Invalid {
		t.Error(err)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add("push", `{"ref":"refs/heads/a","before":"b","after":"c","commits":[{"added":["1"]}]}`)
	f.Add("pull_request", `{"action":"opened","pull_request":{"number":7,"state":"open","head":{"ref":"t","sha":"c"}}}`)
	f.Add("Merge Request Hook", `{"object_attributes":{"action":"update","oldrev":"x","iid":7,"last_commit":{"id":"c"}}}`)
	f.Add("", `{"eventType":"git.pullrequest.created","resource":{"pullRequestId":7,"status":"active","targetRefName":"refs/heads/main","forkSource":{}}}`)
	f.Fuzz(func(t *testing.T, event, body string) {
		for _, kind := range []githost.Kind{githost.GitHub, githost.Gitea, githost.GitLab, githost.AzureDevOps} {
			d, err := githost.Receive(kind, secret, delivery(kind, event, body), []byte(body))
			if err != nil && drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("%s: %v", kind, err)
			}
			for _, c := range d.Changes {
				if c.Pull != "" && c.Action != "opened" && c.Action != "updated" && c.Action != "closed" {
					t.Errorf("%s: %+v", kind, c)
				}
			}
		}
	})
}
