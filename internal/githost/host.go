package githost

import (
	"context"
	"net/http"

	"github.com/drydockhq/drydock"
)

// Kind is a sort of git host, named as the providerType of ACR's runs where that
// has a name for it.
type Kind string

// The kinds of git host.
const (
	GitHub      Kind = "Github" // also Enterprise
	AzureDevOps Kind = "VisualStudioTeamService"
	Gitea       Kind = "Gitea" // also Forgejo
	GitLab      Kind = "GitLab"
	// Plain is a host without an API that is known here, or none at all.
	Plain Kind = "Git"
)

// Hook is what a webhook is to tell, and where.
type Hook struct {
	URL    string
	Secret string // that deliveries are signed with, or show
	Push   bool   // of branches and tags
	Pull   bool   // of pull requests that are opened or get commits
}

// Hooks makes webhooks of a repository. An ID is the host's own.
type Hooks interface {
	// CreateHook makes a webhook. That the token may not is an error with code
	// Denied.
	CreateHook(ctx context.Context, h Hook) (id string, err error)

	// FindHooks returns the webhooks that call a URL.
	FindHooks(ctx context.Context, url string) (ids []string, err error)

	// DeleteHook removes a webhook; one that is gone already is no error.
	DeleteHook(ctx context.Context, id string) error
}

// Status is what became of a commit.
type Status struct {
	State   drydock.CommitState
	Context string // tells apart who says something of one commit
	Text    string // cut where the host allows less
	URL     string // of more about it; may be empty
	Pull    string // number of the pull request that it was built for; empty for none
}

// Statuses tells a host what became of commits.
type Statuses interface {
	SetStatus(ctx context.Context, commit string, s Status) error
}

// Pull is a pull request.
type Pull struct {
	Number string
	Open   bool
	Base   string // full ref that it is to be merged into
	Branch string // name of the branch that it comes from
	Commit string // its newest
	Ref    string // by which the repository itself has that commit; may be empty
	// Fork says that it comes from somebody who need not be allowed to push to
	// the repository itself.
	Fork  bool
	Actor string // who opened it
}

// Pulls reads pull requests.
type Pulls interface {
	// Pull returns one, also if it is closed.
	Pull(ctx context.Context, number string) (Pull, error)

	// Pulls returns all that are open.
	Pulls(ctx context.Context) ([]Pull, error)

	// PullPaths returns the files that one changes; false when there are more
	// than the host tells of.
	PullPaths(ctx context.Context, number string) (paths []string, all bool, err error)
}

// Host is the API of a git host for one repository, with one token. Errors of a
// token or its rights have code Denied; of a host that can't be reached, has a
// fault or wants to be left alone for a while, Unavailable: see RetryAfter.
type Host interface {
	Kind() Kind
	Hooks
	Statuses
	Pulls
}

// Delivery is a call of a webhook.
type Delivery struct {
	ID      string // the host's own; may be empty
	Changes []drydock.SourceChange
}

// Receive reads a call of a webhook that was made with a secret. One that does
// not show that it knows the secret is an error with code Denied, one that can't
// be read with code Invalid. Calls about other things have no changes. A pull
// request's Action is "opened", "updated" or, where the host tells of it, "closed".
func Receive(kind Kind, secret string, header http.Header, body []byte) (Delivery, error) {
	switch kind {
	case GitHub:
		return receiveGitHub(secret, header, body)
	case Gitea:
		return receiveGitea(secret, header, body)
	case AzureDevOps:
		return receiveAzure(secret, header, body)
	case GitLab:
		return receiveGitLab(secret, header, body)
	}
	return Delivery{}, drydock.Errorf(drydock.Invalid, "hosts of the kind %q call nobody", kind)
}
