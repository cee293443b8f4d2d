package githost

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// gitLab is the REST API of GitLab.
type gitLab struct {
	client
	project string // path of the project in the API
}

// newGitLab takes a host at its root: of a URL with groups it can't be told
// which part of the path would be a folder.
func newGitLab(a address, token string, o Options) (Host, error) {
	if len(a.path) < 2 {
		return nil, notARepository(GitLab, "https://HOST/GROUP/PROJECT.git")
	}
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"drydock"}}
	if token != "" {
		h.Set("Authorization", "Bearer "+token) // taken off where a redirect leads to another host
	}
	c := client{http: o.HTTP, base: a.root(0) + "/api/v4", header: h, now: o.Now}
	return &gitLab{c, "/projects/" + url.PathEscape(strings.Join(a.path, "/"))}, nil
}

// Kind implements Host.
func (g *gitLab) Kind() Kind { return GitLab }

// gitLabHint is what webhooks need.
const gitLabHint = "for webhooks the token needs the scope api, and its owner must be a maintainer of the project"

// gitLabHook is a webhook in the API.
type gitLabHook struct {
	ID     int64  `json:"id,omitempty"`
	URL    string `json:"url"`
	Token  string `json:"token,omitempty"`
	Push   bool   `json:"push_events"`
	Tags   bool   `json:"tag_push_events"`
	Merges bool   `json:"merge_requests_events"`
	Verify bool   `json:"enable_ssl_verification"`
}

// CreateHook implements Hooks.
func (g *gitLab) CreateHook(ctx context.Context, h Hook) (string, error) {
	var made gitLabHook
	_, err := g.call(ctx, "making the webhook", http.MethodPost, g.project+"/hooks",
		gitLabHook{URL: h.URL, Token: h.Secret, Push: h.Push, Tags: h.Push, Merges: h.Pull, Verify: true}, &made)
	return number(made.ID), hidden(err, gitLabHint)
}

// FindHooks implements Hooks.
func (g *gitLab) FindHooks(ctx context.Context, hookURL string) ([]string, error) {
	var ids []string
	_, err := pages(maxPages, func(page int) (bool, error) {
		var hooks []gitLabHook
		_, err := g.call(ctx, "listing the webhooks", http.MethodGet, g.paged("/hooks", page), nil, &hooks)
		for _, h := range hooks {
			if h.URL == hookURL {
				ids = append(ids, number(h.ID))
			}
		}
		return len(hooks) > 0, err
	})
	return ids, hidden(err, gitLabHint)
}

func (g *gitLab) paged(path string, page int) string {
	return fmt.Sprintf("%s%s?page=%d&per_page=%d", g.project, path, page, perPage)
}

// DeleteHook implements Hooks.
func (g *gitLab) DeleteHook(ctx context.Context, id string) error {
	_, err := g.call(ctx, "removing the webhook", http.MethodDelete, g.project+"/hooks/"+url.PathEscape(id), nil, nil)
	return gone(err)
}

// gitLabStates are the host's words for what became of commits.
var gitLabStates = map[drydock.CommitState]string{
	drydock.CommitPending: "pending", drydock.CommitSuccess: "success",
	drydock.CommitFailure: "failed", drydock.CommitError: "canceled",
}

// SetStatus implements Statuses.
func (g *gitLab) SetStatus(ctx context.Context, commit string, s Status) error {
	body := map[string]string{"state": gitLabStates[s.State], "name": s.Context, "description": cut(s.Text, 255)}
	if s.URL != "" {
		body["target_url"] = s.URL
	}
	_, err := g.call(ctx, "setting the commit status", http.MethodPost, g.project+"/statuses/"+url.PathEscape(commit), body, nil)
	return hidden(err, "the token needs the scope api")
}

// gitLabMerge is a merge request in the API.
type gitLabMerge struct {
	Number  int64  `json:"iid"`
	State   string `json:"state"`
	Source  string `json:"source_branch"`
	Target  string `json:"target_branch"`
	Commit  string `json:"sha"`
	FromID  int64  `json:"source_project_id"`
	IntoID  int64  `json:"target_project_id"`
	Creator struct {
		Name string `json:"username"`
	} `json:"author"`
}

func (m gitLabMerge) pull() Pull {
	return Pull{
		Number: number(m.Number), Open: m.State == "opened", Base: "refs/heads/" + m.Target, Branch: m.Source,
		Commit: m.Commit, Ref: "refs/merge-requests/" + number(m.Number) + "/head",
		Fork: m.FromID == 0 || m.FromID != m.IntoID, Actor: m.Creator.Name,
	}
}

// Pull implements Pulls.
func (g *gitLab) Pull(ctx context.Context, id string) (Pull, error) {
	var m gitLabMerge
	_, err := g.call(ctx, "reading merge request "+id, http.MethodGet, g.project+"/merge_requests/"+url.PathEscape(id), nil, &m)
	return m.pull(), err
}

// Pulls implements Pulls.
func (g *gitLab) Pulls(ctx context.Context) ([]Pull, error) {
	var all []Pull
	whole, err := pages(maxPages, func(page int) (bool, error) {
		var some []gitLabMerge
		_, err := g.call(ctx, "listing the merge requests", http.MethodGet, g.paged("/merge_requests", page)+"&state=opened", nil, &some)
		for _, m := range some {
			all = append(all, m.pull())
		}
		return len(some) > 0, err
	})
	if err == nil && !whole {
		err = tooManyPulls()
	}
	return all, err
}

// PullPaths implements Pulls.
func (g *gitLab) PullPaths(ctx context.Context, id string) ([]string, bool, error) {
	var paths []string
	whole, err := pages(maxPages, func(page int) (bool, error) {
		var some []struct {
			Old string `json:"old_path"`
			New string `json:"new_path"`
		}
		_, err := g.call(ctx, "reading what merge request "+id+" changes", http.MethodGet,
			g.paged("/merge_requests/"+url.PathEscape(id)+"/diffs", page), nil, &some)
		for _, f := range some {
			if paths = append(paths, f.New); f.Old != f.New {
				paths = append(paths, f.Old)
			}
		}
		return len(some) > 0, err
	})
	return paths, whole, err
}
