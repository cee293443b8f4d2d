package githost

import (
	"context"
	"net/http"
	"strings"
)

// giteaHost is the REST API of Gitea and Forgejo: that of GitHub but for some
// words.
type giteaHost struct{ gitHub }

func newGitea(a address, token string, o Options) (Host, error) {
	n := len(a.path) - 2
	if n < 0 {
		return nil, notARepository(Gitea, "https://HOST/OWNER/REPOSITORY.git")
	}
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"drydock"}}
	if token != "" {
		h.Set("Authorization", "token "+token)
	}
	c := client{http: o.HTTP, base: a.root(n) + "/api/v1", header: h, now: o.Now}
	return &giteaHost{gitHub{
		client: c, repo: "/repos" + joined(a.path[n:]),
		hint: "for webhooks the token needs the permission write:repository, and its owner must be an administrator of the repository",
	}}, nil
}

// Kind implements Host.
func (g *giteaHost) Kind() Kind { return Gitea }

// CreateHook implements Hooks.
func (g *giteaHost) CreateHook(ctx context.Context, h Hook) (string, error) {
	hook := gitHubHook{Type: "gitea", Active: true, Config: map[string]string{
		"url": h.URL, "content_type": "json", "secret": h.Secret,
	}}
	if h.Push {
		hook.Events = append(hook.Events, "push")
	}
	if h.Pull {
		hook.Events = append(hook.Events, "pull_request_only", "pull_request_sync")
	}
	id, err := g.create(ctx, hook)
	return id, hidden(err, g.hint)
}

// SetStatus implements Statuses.
func (g *giteaHost) SetStatus(ctx context.Context, commit string, s Status) error {
	return hidden(g.gitHub.SetStatus(ctx, commit, s), "the token needs the permission write:repository")
}

// Pull implements Pulls.
func (g *giteaHost) Pull(ctx context.Context, number string) (Pull, error) {
	p, err := g.gitHub.Pull(ctx, number)
	return withFlow(p), err
}

// Pulls implements Pulls.
func (g *giteaHost) Pulls(ctx context.Context) ([]Pull, error) {
	all, err := g.gitHub.Pulls(ctx)
	for i, p := range all {
		all[i] = withFlow(p)
	}
	return all, err
}

// withFlow treats as from a fork what was made by a push to refs/for/…: whoever
// may read the repository may do that.
func withFlow(p Pull) Pull {
	if strings.HasPrefix(p.Branch, "refs/") {
		p.Fork = true
	}
	return p
}

// receiveGitea reads a delivery of Gitea or Forgejo.
func receiveGitea(secret string, header http.Header, body []byte) (Delivery, error) {
	signature := header.Get("X-Gitea-Signature")
	if signature == "" {
		signature = header.Get("X-Forgejo-Signature")
	}
	if err := signed(secret, signature, body); err != nil {
		return Delivery{}, err
	}
	event, id := header.Get("X-Gitea-Event"), header.Get("X-Gitea-Delivery")
	if event == "" {
		event, id = header.Get("X-Forgejo-Event"), header.Get("X-Forgejo-Delivery")
	}
	d := Delivery{ID: id}
	err := d.gitHub(Gitea, event, body, map[string]string{
		"opened": "opened", "reopened": "opened", "synchronized": "updated", "closed": "closed",
	})
	for i, c := range d.Changes {
		d.Changes[i].Fork = c.Fork || c.Pull != "" && strings.HasPrefix(c.Branch, "refs/")
	}
	return d, err
}
