package drydock

import (
	"context"
	"time"
)

// Vault is a key vault: secrets under a name, and who may do what with them.
type Vault struct {
	ID       ResourceID
	UID      string // sets it apart from others that had its name
	Location string
	// Deleting says that it is on its way out.
	Deleting bool
	// RolesOnly says that role assignments alone give access, whatever Policies say.
	RolesOnly bool
	Policies  []VaultPolicy
	Retention time.Duration // how long what was deleted can be recovered
	Protected bool          // nothing is purged before its time
}

// VaultPolicy gives a principal permissions on all secrets of a vault.
type VaultPolicy struct {
	Tenant      string
	Principal   string   // object id
	Application string   // client id through which alone it holds; empty for any
	Secrets     []string // permissions as Azure names them, such as "get"; "all" for all
}

// DeletedVault is a vault that was deleted and can be recovered.
type DeletedVault struct {
	ID       ResourceID // that it had
	UID      string
	Location string
	Body     []byte // of its resource
	Created  time.Time
	Deleted  time.Time
	Purge    time.Time // when it ends for good
}

// DeletedVaultStore keeps vaults that were deleted. Its methods may be called
// from several goroutines.
type DeletedVaultStore interface {
	// DeletedVaults returns those with a name, whose case does not matter; all
	// for an empty one. The newest are first.
	DeletedVaults(ctx context.Context, name string) ([]DeletedVault, error)

	// PutDeletedVault creates or replaces the one with its UID.
	PutDeletedVault(ctx context.Context, v DeletedVault) error

	// ForgetDeletedVault takes one out of the store; its secrets stay. Code
	// NotFound when there is none.
	ForgetDeletedVault(ctx context.Context, uid string) error

	// PurgeVault deletes all secrets of a vault, and the vault if it was deleted.
	PurgeVault(ctx context.Context, uid string) error
}
