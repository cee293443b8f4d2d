package oci

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// Registry is what has to be known of a registry to serve it.
type Registry struct {
	ID drydock.ResourceID
	// LoginServer is the host, with a port if it has one, by which clients name
	// the registry.
	LoginServer string
}

// Directory finds registries.
type Directory interface {
	// Registry returns the registry with a name, compared without regard to
	// case. If there is none, the error has code NotFound.
	Registry(ctx context.Context, name string) (Registry, error)
}

// Access is what somebody may do, or wants to: an entry of a token's scope as
// the distribution project's token specification has it.
type Access struct {
	Type    string // "repository" or "registry"
	Name    string // of the repository, or "catalog"
	Actions []string
}

// The types and actions of an Access.
const (
	repositoryType = "repository"
	registryType   = "registry"
	catalogName    = "catalog"

	Pull          = "pull"
	Push          = "push"
	Delete        = "delete"
	ReadMetadata  = "metadata_read"
	WriteMetadata = "metadata_write"
	Everything    = "*" // of the catalog
)

// Credentials are what somebody signs in to a registry with: either a name and a
// password, or a token of the authority, or a refresh token. Empty ones are those
// of anybody.
type Credentials struct {
	Username     string // of the admin user, a service principal's client id, a token's name
	Password     string
	AccessToken  string // of the authority, for the audience of registries
	RefreshToken string // that MintRefresh returned
}

// Authorizer knows who may do what in a registry. What it refuses is an error
// with code Denied. Its methods may be called from several goroutines.
type Authorizer interface {
	// SignIn returns whose credentials these are. Those for another registry are
	// refused, and empty ones unless everybody may pull from this one.
	SignIn(ctx context.Context, registry drydock.ResourceID, c Credentials) (drydock.Principal, error)

	// Allowed returns those of the wanted actions that the principal may do.
	Allowed(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, want Access) ([]string, error)

	// MintRefresh returns a token with which the principal can sign in to the
	// registry later. It must be a JWT with an exp claim: clients read it.
	MintRefresh(ctx context.Context, registry drydock.ResourceID, p drydock.Principal) (string, error)

	// MintAccess returns a token that allows what is granted, and for how long.
	MintAccess(ctx context.Context, registry drydock.ResourceID, p drydock.Principal, granted []Access) (string, time.Duration, error)

	// VerifyAccess returns whose access token this is and what it grants.
	VerifyAccess(ctx context.Context, registry drydock.ResourceID, token string) (drydock.Principal, []Access, error)
}

// Store is where the content of registries is recorded.
type Store interface {
	drydock.ArtifactStore
	drydock.ArtifactIndex
	drydock.BlobIndex
}
