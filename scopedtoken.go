package drydock

import (
	"regexp"
	"time"
)

// The kinds of principal that are known to one registry alone.
const (
	// ScopedToken is a token of a registry, which may do what its scope map
	// says. Its Owner is the token's resource, its only secret the password that
	// it signed in with. It is in no store.
	ScopedToken PrincipalKind = "ScopedToken"
	// Anybody is who did not sign in, to a registry that lets everybody pull.
	// Its Owner is the registry. It is in no store.
	Anybody PrincipalKind = "Anybody"
)

// TokenPassword is a password of a token. The password itself is not kept.
type TokenPassword struct {
	Name    string // "password1" or "password2"
	ID      string // a GUID, of this password and no later one of the name
	Hash    string // salted and stretched; the format is internal/auth's
	Created time.Time
	Expires time.Time // zero for never
}

// Expired reports whether the password is no good any more.
func (p TokenPassword) Expired(now time.Time) bool {
	return !p.Expires.IsZero() && !now.Before(p.Expires)
}

// tokenName is ACR's rule for the names of tokens and scope maps.
var tokenName = regexp.MustCompile(`^[A-Za-z0-9_-]{5,50}$`)

// IsTokenName reports whether a token or a scope map can have a name.
func IsTokenName(name string) bool { return tokenName.MatchString(name) }
