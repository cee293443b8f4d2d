package githost

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/drydockhq/drydock"
)

// Where the host's own limits are: of a status' text in characters, of the files
// of a pull request, and of the pull requests that are looked through.
const (
	gitHubText  = 140
	gitHubFiles = 3000
	perPage     = 100
	maxPages    = 100
)

// gitHub is the REST API of GitHub, which that of Gitea is made after.
type gitHub struct {
	client
	repo string // path of the repository in the API
	hint string // what webhooks need
}

func newGitHub(a address, token string, o Options) (Host, error) {
	if len(a.path) != 2 {
		return nil, notARepository(GitHub, "https://HOST/OWNER/REPOSITORY.git")
	}
	base := a.root(0) + "/api/v3"
	if byName(a) == GitHub {
		base = "https://api." + a.host
	}
	h := http.Header{
		"Accept":               {"application/vnd.github+json"},
		"X-Github-Api-Version": {"2022-11-28"},
		"User-Agent":           {"drydock"},
	}
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return &gitHub{
		client: client{http: o.HTTP, base: base, header: h, now: o.Now}, repo: "/repos" + joined(a.path),
		hint: "for webhooks the token needs the scope admin:repo_hook, or repo, and its owner must be an admin of the repository",
	}, nil
}

// Kind implements Host.
func (g *gitHub) Kind() Kind { return GitHub }

// gitHubHook is a webhook in the API.
type gitHubHook struct {
	ID     int64             `json:"id,omitempty"`
	Name   string            `json:"name,omitempty"`
	Type   string            `json:"type,omitempty"` // of Gitea's
	Active bool              `json:"active"`
	Events []string          `json:"events"`
	Config map[string]string `json:"config"`
}

// CreateHook implements Hooks.
func (g *gitHub) CreateHook(ctx context.Context, h Hook) (string, error) {
	hook := gitHubHook{Name: "web", Active: true, Config: map[string]string{
		"url": h.URL, "content_type": "json", "secret": h.Secret, "insecure_ssl": "0",
	}}
	if h.Push {
		hook.Events = append(hook.Events, "push")
	}
	if h.Pull {
		hook.Events = append(hook.Events, "pull_request")
	}
	id, err := g.create(ctx, hook)
	return id, hidden(err, g.hint)
}

func (g *gitHub) create(ctx context.Context, hook gitHubHook) (string, error) {
	var made gitHubHook
	if _, err := g.call(ctx, "making the webhook", http.MethodPost, g.repo+"/hooks", hook, &made); err != nil {
		return "", err
	}
	return strconv.FormatInt(made.ID, 10), nil
}

// FindHooks implements Hooks.
func (g *gitHub) FindHooks(ctx context.Context, hookURL string) ([]string, error) {
	var ids []string
	_, err := pages(maxPages, func(page int) (bool, error) {
		var hooks []gitHubHook
		_, err := g.call(ctx, "listing the webhooks", http.MethodGet, g.paged("/hooks", page), nil, &hooks)
		for _, h := range hooks {
			if h.Config["url"] == hookURL {
				ids = append(ids, strconv.FormatInt(h.ID, 10))
			}
		}
		return len(hooks) > 0, err
	})
	return ids, hidden(err, g.hint)
}

// paged returns the path of a page of a list. Hosts may give less on a page than
// was asked for, so that only an empty one is surely the last.
func (g *gitHub) paged(path string, page int) string {
	return fmt.Sprintf("%s%s?page=%d&per_page=%d&limit=%d", g.repo, path, page, perPage, perPage)
}

// DeleteHook implements Hooks.
func (g *gitHub) DeleteHook(ctx context.Context, id string) error {
	_, err := g.call(ctx, "removing the webhook", http.MethodDelete, g.repo+"/hooks/"+url.PathEscape(id), nil, nil)
	return gone(err)
}

// SetStatus implements Statuses.
func (g *gitHub) SetStatus(ctx context.Context, commit string, s Status) error {
	body := map[string]string{"state": string(s.State), "context": s.Context, "description": cut(s.Text, gitHubText)}
	if s.URL != "" {
		body["target_url"] = s.URL
	}
	_, err := g.call(ctx, "setting the commit status", http.MethodPost, g.repo+"/statuses/"+url.PathEscape(commit), body, nil)
	return hidden(err, "the token needs the right to set commit statuses, as the scope repo:status")
}

// gitHubPull is a pull request in the API and in webhooks.
type gitHubPull struct {
	Number int64         `json:"number"`
	State  string        `json:"state"`
	User   gitHubUser    `json:"user"`
	Head   gitHubPullEnd `json:"head"`
	Base   gitHubPullEnd `json:"base"`
}

type gitHubPullEnd struct {
	Ref  string `json:"ref"`
	SHA  string `json:"sha"`
	Repo *struct {
		ID int64 `json:"id"`
	} `json:"repo"`
}

type gitHubUser struct {
	Login string `json:"login"`
}

func (p gitHubPull) pull() Pull {
	number := strconv.FormatInt(p.Number, 10)
	return Pull{
		Number: number, Open: p.State == "open", Base: "refs/heads/" + p.Base.Ref, Branch: p.Head.Ref,
		Commit: p.Head.SHA, Ref: "refs/pull/" + number + "/head", Actor: p.User.Login,
		// There is no repository any more when the fork was deleted.
		Fork: p.Head.Repo == nil || p.Base.Repo == nil || p.Head.Repo.ID != p.Base.Repo.ID,
	}
}

// Pull implements Pulls.
func (g *gitHub) Pull(ctx context.Context, number string) (Pull, error) {
	var p gitHubPull
	_, err := g.call(ctx, "reading pull request "+number, http.MethodGet, g.repo+"/pulls/"+url.PathEscape(number), nil, &p)
	return p.pull(), err
}

// Pulls implements Pulls.
func (g *gitHub) Pulls(ctx context.Context) ([]Pull, error) {
	var all []Pull
	whole, err := pages(maxPages, func(page int) (bool, error) {
		var some []gitHubPull
		_, err := g.call(ctx, "listing the pull requests", http.MethodGet, g.paged("/pulls", page)+"&state=open", nil, &some)
		for _, p := range some {
			all = append(all, p.pull())
		}
		return len(some) > 0, err
	})
	if err == nil && !whole {
		err = tooManyPulls()
	}
	return all, err
}

func tooManyPulls() error {
	return drydock.Errorf(drydock.Invalid, "the repository has more than %d open pull requests", maxPages*perPage)
}

// PullPaths implements Pulls.
func (g *gitHub) PullPaths(ctx context.Context, number string) ([]string, bool, error) {
	var paths []string
	files := 0
	_, err := pages(maxPages, func(page int) (bool, error) {
		var some []struct {
			Filename string `json:"filename"`
			Previous string `json:"previous_filename"`
		}
		_, err := g.call(ctx, "reading what pull request "+number+" changes", http.MethodGet,
			g.paged("/pulls/"+url.PathEscape(number)+"/files", page), nil, &some)
		for _, f := range some {
			paths = append(paths, f.Filename)
			if f.Previous != "" {
				paths = append(paths, f.Previous)
			}
		}
		files += len(some)
		return len(some) > 0 && files < gitHubFiles, err
	})
	return paths, files < gitHubFiles, err
}
