package identity

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Directory finds the identities of resources. A resource that is not there has
// none.
type Directory interface {
	Identities(ctx context.Context, resource drydock.ResourceID) (drydock.Identities, error)
}

// Principals finds who asked for a run, and identities by their resources; a
// drydock.PrincipalStore is one.
type Principals interface {
	Principal(ctx context.Context, id string) (drydock.Principal, error)
	Principals(ctx context.Context, below drydock.ResourceID) ([]drydock.Principal, error)
}

// Vaults reads the secrets of vaults, of this server and elsewhere.
type Vaults interface {
	// Secret returns the value of the secret at a URL as it is now, of the newest
	// version unless the URL names one. What the reader may not read is an error
	// with code Denied: with a hint that says how to give it the right if that is
	// what it lacks. It may be called from several goroutines.
	Secret(ctx context.Context, reader drydock.Principal, url string) (string, error)
}

// Tokens makes what identities sign in to registries with.
type Tokens interface {
	// NewRegistryToken returns a token of a principal for one registry, good for at
	// most lifetime: while the attempt of the run lasts that acts as it, or for a
	// short time if none does.
	NewRegistryToken(registry drydock.ResourceID, p drydock.Principal, lifetime time.Duration) (string, error)
}

// Registries finds the server's registries by the hosts that name them.
type Registries interface {
	// RegistryAt returns the registry that has a host. A host that is none of the
	// server's is an error with code NotFound.
	RegistryAt(ctx context.Context, host string) (drydock.ResourceID, error)
}

// Keyring is what identities open. Its fields are set before the first call; its
// methods may be called from several goroutines.
type Keyring struct {
	Directory  Directory
	Principals Principals
	Vaults     Vaults // nil for none
	Tokens     Tokens
	Registries Registries
	Roles      auth.Assignments
	Lifetime   time.Duration // of tokens for registries, at most
}
