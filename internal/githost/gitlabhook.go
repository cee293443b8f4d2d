package githost

import (
	"crypto/subtle"
	"encoding/json"
	"net/http"

	"github.com/drydockhq/drydock"
)

// receiveGitLab reads a delivery of GitLab, which shows the secret in
// X-Gitlab-Token.
func receiveGitLab(secret string, header http.Header, body []byte) (Delivery, error) {
	if secret == "" || subtle.ConstantTimeCompare([]byte(header.Get("X-Gitlab-Token")), []byte(secret)) != 1 {
		return Delivery{}, drydock.Errorf(drydock.Denied, "the token of the delivery is wrong")
	}
	d := Delivery{ID: header.Get("X-Gitlab-Event-UUID")}
	var err error
	switch header.Get("X-Gitlab-Event") {
	case "Push Hook", "Tag Push Hook":
		err = d.gitLabPush(body)
	case "Merge Request Hook":
		err = d.gitLabMerge(body)
	}
	return d, err
}

func (d *Delivery) gitLabPush(body []byte) error {
	var read struct {
		gitHubPush        // its ref, commits and their number have GitHub's names
		User       string `json:"user_username"`
		Project    struct {
			URL string `json:"git_http_url"`
		} `json:"project"`
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return drydock.Errorf(drydock.Invalid, "the push can't be read: %w", err)
	}
	var commits struct {
		Total *int `json:"total_commits_count"`
	}
	if err := json.Unmarshal(body, &commits); err != nil {
		return drydock.Errorf(drydock.Invalid, "the push can't be read: %w", err)
	}
	read.Total = commits.Total
	c := drydock.SourceChange{Provider: string(GitLab), Repository: read.Project.URL, Actor: read.User}
	read.change(&c)
	d.Changes = append(d.Changes, c)
	return nil
}

func (d *Delivery) gitLabMerge(body []byte) error {
	var read struct {
		Merge struct {
			gitLabMerge
			Action string `json:"action"`
			OldRev string `json:"oldrev"` // only of an update with commits
			Last   struct {
				ID string `json:"id"`
			} `json:"last_commit"`
		} `json:"object_attributes"`
		User struct {
			Name string `json:"username"`
		} `json:"user"`
		Project struct {
			URL string `json:"git_http_url"`
		} `json:"project"`
	}
	if err := json.Unmarshal(body, &read); err != nil {
		return drydock.Errorf(drydock.Invalid, "the merge request can't be read: %w", err)
	}
	m := read.Merge
	action := map[string]string{"open": "opened", "reopen": "opened", "close": "closed", "merge": "closed"}[m.Action]
	if m.Action == "update" && m.OldRev != "" {
		action = "updated"
	}
	if action == "" {
		return nil
	}
	m.Commit = m.Last.ID
	c := m.pull().Change(GitLab, read.Project.URL, action)
	c.Actor = read.User.Name
	d.Changes = append(d.Changes, c)
	return nil
}
