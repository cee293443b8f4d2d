package upstream

import (
	"context"
	"time"

	"github.com/drydockhq/drydock"
)

// Watched says which images are watched, and as whom. Its methods may be called
// from several goroutines.
type Watched interface {
	// WatchedImages returns the images, with tags and without digests, of
	// registries that are not this server's, in any order.
	WatchedImages(ctx context.Context) ([]drydock.ImageName, error)

	// Credentials returns what those who watch an image sign in with, to whatever
	// registry, those to be tried first before the others.
	Credentials(ctx context.Context, image drydock.ImageName) ([]Credential, error)
}

// Credential is a credential of somebody.
type Credential struct {
	drydock.Credential
	Owner string // whose, in words, for the log
}

// Store keeps what is known of images, and takes the events of their changes.
type Store interface {
	drydock.Transactor
	drydock.ImagePollStore
	drydock.RegistryPauseStore
	AppendEvent(ctx context.Context, e drydock.Event) (drydock.Event, error)
}

// Query asks for the digest behind a tag.
type Query struct {
	Image       drydock.ImageName
	Credentials []Credential // to be tried in order, and at last none
	Digest      string       // what was there before
	Validator   string       // that came with it
}

// Answer is what a registry says.
type Answer struct {
	Digest    string // empty if there is no such tag
	Validator string // for the next query
	// Refused are the owners of credentials that the registry doesn't accept.
	Refused []string
	// Pause is how long the registry wants not to be asked; 0 for nothing said.
	Pause time.Duration
}

// Resolver asks registries. A registry that doesn't answer, or says that it
// can't, is an error with code Unavailable; one that lets nobody in a
// *RefusedError; one that wants to be left alone a *WaitError. Its methods may be called
// from several goroutines.
type Resolver interface {
	Resolve(ctx context.Context, q Query) (Answer, error)
}

// RefusedError says that a registry lets nobody read an image.
type RefusedError struct {
	Refused []string // owners of the credentials that were tried
	Err     error    // with code Denied; it names no owner
}

// Error says what the registry said.
func (e *RefusedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *RefusedError) Unwrap() error { return e.Err }

// WaitError says that a registry asked not to be asked for a while.
type WaitError struct {
	After time.Duration // how long; 0 if it didn't say
	Err   error
}

// Error says what the registry said.
func (e *WaitError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *WaitError) Unwrap() error { return e.Err }
