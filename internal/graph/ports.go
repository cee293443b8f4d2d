package graph

import (
	"context"
	"net/http"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Authority checks bearer tokens; an auth.Authority is one.
type Authority interface {
	Tenant() string
	CheckPassword(ctx context.Context, login, password, from string) (drydock.Principal, error)
	Require(audience auth.Audience, next http.Handler, deny auth.Deny, unavailable func(http.ResponseWriter, *http.Request, error)) http.Handler
}

// Directory changes applications and service principals; an auth.Directory is
// one. An application is the same principal as its service principal: one id
// and one set of secrets stand for both.
type Directory interface {
	Register(ctx context.Context, name string) (drydock.Principal, error)
	Instate(ctx context.Context, appID string) (drydock.Principal, error)
	Rename(ctx context.Context, id, name string) error
	Dismiss(ctx context.Context, id string) error
	Unregister(ctx context.Context, id string) error
}

// Secrets changes the secrets of applications; an auth.Directory is one.
type Secrets interface {
	AddSecret(ctx context.Context, id, name string, expires time.Time) (*auth.Credentials, error)
	RemoveSecret(ctx context.Context, id, secret string) error
}

// Principals are all there are; a drydock.PrincipalStore is one.
type Principals interface {
	Principal(ctx context.Context, id string) (drydock.Principal, error)
	PrincipalByAppID(ctx context.Context, appID string) (drydock.Principal, error)
	Principals(ctx context.Context, owner drydock.ResourceID) ([]drydock.Principal, error)
}

// People changes people, and deletes groups too; an auth.Directory is one.
type People interface {
	CreatePerson(ctx context.Context, n auth.NewPerson) (drydock.Principal, error)
	SetPassword(ctx context.Context, id, password string, mustChange bool) error
	ChangePerson(ctx context.Context, id string, alter func(*drydock.Principal) error) error
	EndSessions(ctx context.Context, id string) error
	DeletePerson(ctx context.Context, id string) error
}

// Groups makes groups; an auth.Directory is one.
type Groups interface {
	CreateGroup(ctx context.Context, issuer, name string) (drydock.Principal, error)
}
