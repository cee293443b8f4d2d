package githost

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Options say how hosts are reached.
type Options struct {
	HTTP *http.Client
	Now  func() time.Time
}

// Detect finds out which kind of host a repository is on: by its name, or by
// asking it, with the token where it answers nobody else. A host that can't be
// reached is an error with code Unavailable; one that is none of those that are
// known is Plain.
func Detect(ctx context.Context, repository, token string, o Options) (Kind, error) {
	a, ok := parseAddress(repository)
	if !ok {
		return Plain, nil
	}
	if kind := byName(a); kind != "" {
		return kind, nil
	}
	var unreachable error
	for _, p := range probes {
		found, err := p.ask(ctx, a, token, o)
		if err != nil {
			unreachable = err
		}
		if found {
			return p.kind, nil
		}
	}
	return Plain, unreachable
}

// byName returns the kind of a host whose name or whose form of URLs says it.
func byName(a address) Kind {
	switch {
	case a.host == "github.com" || strings.HasSuffix(a.host, ".ghe.com"):
		return GitHub
	case a.host == "dev.azure.com" || strings.HasSuffix(a.host, ".visualstudio.com") || slices.Contains(lower(a.path), "_git"):
		return AzureDevOps
	case a.host == "gitlab.com":
		return GitLab
	case a.host == "codeberg.org" || a.host == "gitea.com":
		return Gitea
	}
	return ""
}

func lower(parts []string) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = strings.ToLower(p)
	}
	return out
}

// probe is a question that only hosts of a kind answer.
type probe struct {
	kind Kind
	path string // below the host, or below the folder that it is in
	auth string // header of the token
	// is looks at the answer, whose body was read into fields.
	is func(status int, h http.Header, fields map[string]any) bool
}

var probes = []probe{
	{Gitea, "/api/v1/version", "token ", func(status int, _ http.Header, fields map[string]any) bool {
		return status == http.StatusOK && fields["version"] != nil
	}},
	{GitHub, "/api/v3/meta", "Bearer ", func(_ int, h http.Header, _ map[string]any) bool {
		return h.Get("X-GitHub-Request-Id") != "" || h.Get("X-GitHub-Enterprise-Version") != ""
	}},
	{GitLab, "/api/v4/version", "Bearer ", func(status int, h http.Header, fields map[string]any) bool {
		return status == http.StatusOK && fields["version"] != nil && fields["revision"] != nil ||
			h.Get("X-Gitlab-Meta") != ""
	}},
}

// ask asks a host, and then again with the token if it answers nobody else. An
// error says that nobody answered.
func (p probe) ask(ctx context.Context, a address, token string, o Options) (bool, error) {
	bases := []string{a.root(0)}
	if n := len(a.path) - 2; n > 0 && p.kind != GitHub {
		bases = append(bases, a.root(n)) // a host in a folder of a web server
	}
	for _, base := range bases {
		c := client{http: o.HTTP, base: base, now: o.Now}
		status, found, err := p.once(ctx, &c)
		if err == nil && token != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden) && !found {
			c.header = http.Header{"Authorization": {p.auth + token}}
			_, found, err = p.once(ctx, &c)
		}
		if err != nil || found {
			return found, err
		}
	}
	return false, nil
}

func (p probe) once(ctx context.Context, c *client) (status int, found bool, err error) {
	resp, body, err := c.do(ctx, http.MethodGet, p.path, nil)
	if err != nil {
		return 0, false, drydock.Errorf(drydock.Unavailable, "asking the git host what it is: %w", err)
	}
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests {
		return 0, false, wrapped("asking the git host what it is", c.refused(resp, body))
	}
	var fields map[string]any
	if json.Unmarshal(body, &fields) != nil {
		fields = nil
	}
	return resp.StatusCode, p.is(resp.StatusCode, resp.Header, fields), nil
}

// New returns the API of a host of a kind for a repository. A kind without an
// API, and a URL that is none of a repository there, are errors with code
// Invalid.
func New(kind Kind, repository, token string, o Options) (Host, error) {
	a, ok := parseAddress(repository)
	if !ok {
		return nil, drydock.Errorf(drydock.Invalid, "the URL names no git host")
	}
	switch kind {
	case GitHub:
		return newGitHub(a, token, o)
	case Gitea:
		return newGitea(a, token, o)
	case AzureDevOps:
		return newAzure(a, token, o)
	case GitLab:
		return newGitLab(a, token, o)
	}
	return nil, drydock.Errorf(drydock.Invalid, "hosts of the kind %q have no API that is known here", kind)
}
