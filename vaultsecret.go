package drydock

import (
	"context"
	"time"
)

// SecretVersion is one version of a vault's secret. Names are compared without
// regard to case.
type SecretVersion struct {
	Vault   string // UID
	Name    string
	Version string // 32 hexadecimal digits
	Sealed  []byte // the value, encrypted
	SealKey uint32 // id of the key that it is encrypted with

	ContentType string
	Tags        map[string]string
	Disabled    bool
	NotBefore   time.Time // zero for none, as are the next two
	Expires     time.Time
	Created     time.Time
	Updated     time.Time

	// Deleted and Purge are those of the secret, which all of its versions share:
	// when it was deleted and when it ends for good. Zero for one that was not.
	Deleted, Purge time.Time
}

// SecretFilter selects versions of a vault's secrets.
type SecretFilter struct {
	Vault   string
	Name    string // empty for all
	Version string // empty for all
	Latest  bool   // the newest version of each secret only
	Deleted bool   // of secrets that were deleted instead of those that were not
	Any     bool   // of both
	// After is the name, or with a Name the version, that a page begins behind.
	After string
	Limit int // of versions; 0 for none
}

// SecretStore keeps the secrets of vaults. Its methods may be called from
// several goroutines. A secret that is not there is an error with code NotFound.
type SecretStore interface {
	// AddSecretVersion adds the newest version of a secret. The secret is made if
	// it is not there; one that was deleted is an error with code Conflict.
	AddSecretVersion(ctx context.Context, v SecretVersion) error

	// SecretVersions returns what a filter selects: by name, and the newest
	// version first.
	SecretVersions(ctx context.Context, f SecretFilter) ([]SecretVersion, error)

	// UpdateSecretVersion replaces all of a version but its value.
	UpdateSecretVersion(ctx context.Context, v SecretVersion) error

	// SetSecretDeleted deletes a secret for a while, or recovers it with zero
	// times. Code Conflict when it is that already.
	SetSecretDeleted(ctx context.Context, vault, name string, deleted, purge time.Time) error

	// PurgeSecret deletes a secret for good.
	PurgeSecret(ctx context.Context, vault, name string) error
}

// SealedStore is what a rotation of keys needs of a SecretStore.
type SealedStore interface {
	// SealedByOthers returns versions whose value is encrypted with another key,
	// at most limit of them.
	SealedByOthers(ctx context.Context, key uint32, limit int) ([]SecretVersion, error)

	// Reseal replaces the encrypted value of a version that is still encrypted
	// with the key old. Of others nothing changes.
	Reseal(ctx context.Context, v SecretVersion, old uint32) error

	// PurgeDue deletes the secrets and the deleted vaults whose time is up.
	PurgeDue(ctx context.Context, now time.Time) error
}
