package githost

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/hook"
)

// maxCommits is of how many commits GitHub tells in a push. Others tell less.
const maxCommits = 2048

// signed checks a signature: the HMAC-SHA256 of a body in hexadecimal digits.
func signed(secret, signature string, body []byte) error {
	if !hook.Signed(secret, signature, body) {
		return drydock.Errorf(drydock.Denied, "the signature of the delivery is wrong")
	}
	return nil
}

// receiveGitHub reads a delivery of GitHub, which signs it in X-Hub-Signature-256.
func receiveGitHub(secret string, header http.Header, body []byte) (Delivery, error) {
	signature, ok := strings.CutPrefix(header.Get("X-Hub-Signature-256"), "sha256=")
	if !ok {
		return Delivery{}, drydock.Errorf(drydock.Denied, "the delivery is not signed")
	}
	if err := signed(secret, signature, body); err != nil {
		return Delivery{}, err
	}
	d := Delivery{ID: header.Get("X-GitHub-Delivery")}
	err := d.gitHub(GitHub, header.Get("X-GitHub-Event"), body, map[string]string{
		"opened": "opened", "reopened": "opened", "synchronize": "updated", "closed": "closed",
	})
	return d, err
}

// gitHubPush is a push in a webhook.
type gitHubPush struct {
	Ref    string `json:"ref"`
	Before string `json:"before"`
	After  string `json:"after"`
	Forced bool   `json:"forced"`
	Total  *int   `json:"total_commits"` // Gitea's
	Pusher struct {
		Name  string `json:"name"`
		Login string `json:"login"`
	} `json:"pusher"`
	Commits []struct {
		Added    []string `json:"added"`
		Modified []string `json:"modified"`
		Removed  []string `json:"removed"`
	} `json:"commits"`
}

// gitHub reads an event in GitHub's form. Actions are those of pull requests
// that count, with what they are called here.
func (d *Delivery) gitHub(kind Kind, event string, body []byte, actions map[string]string) error {
	var read struct {
		gitHubPush
		Action     string     `json:"action"`
		Pull       gitHubPull `json:"pull_request"`
		Sender     gitHubUser `json:"sender"`
		Repository struct {
			CloneURL string `json:"clone_url"`
		} `json:"repository"`
	}
	if event != "push" && event != "pull_request" && event != "pull_request_sync" {
		return nil
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return drydock.Errorf(drydock.Invalid, "the delivery can't be read: %w", err)
	}
	c := drydock.SourceChange{Provider: string(kind), Repository: read.Repository.CloneURL, Actor: read.Sender.Login}
	if event == "push" {
		read.change(&c)
		d.Changes = append(d.Changes, c)
		return nil
	}
	if c.Action = actions[read.Action]; c.Action != "" {
		read.Pull.pull().change(&c)
		d.Changes = append(d.Changes, c)
	}
	return nil
}

// change says what a push has changed.
func (p *gitHubPush) change(c *drydock.SourceChange) {
	c.Ref, c.Before, c.Commit = p.Ref, someCommit(p.Before), someCommit(p.After)
	for _, name := range []string{p.Pusher.Name, p.Pusher.Login} {
		if c.Actor == "" {
			c.Actor = name
		}
	}
	c.AllPaths = p.Forced || c.Before == "" || len(p.Commits) == 0 || len(p.Commits) >= maxCommits ||
		p.Total != nil && *p.Total != len(p.Commits)
	if c.AllPaths {
		return
	}
	for _, commit := range p.Commits {
		c.Paths = append(append(append(c.Paths, commit.Added...), commit.Modified...), commit.Removed...)
	}
}

// someCommit returns a commit, or nothing for the zeros that stand for none.
func someCommit(hash string) string {
	if strings.Trim(hash, "0") == "" {
		return ""
	}
	return hash
}

// change says what a pull request is like.
func (p Pull) change(c *drydock.SourceChange) {
	c.Pull, c.Ref, c.Branch, c.Commit = p.Number, p.Base, p.Branch, p.Commit
	c.PullRef, c.Fork, c.AllPaths = p.Ref, p.Fork, true
	if c.Actor == "" {
		c.Actor = p.Actor
	}
}

// Change returns the change that a pull request makes.
func (p Pull) Change(kind Kind, repository, action string) drydock.SourceChange {
	c := drydock.SourceChange{Provider: string(kind), Repository: repository, Action: action}
	p.change(&c)
	return c
}

// number writes the number of a pull request.
func number(n int64) string { return strconv.FormatInt(n, 10) }
