package drydock

import (
	"context"
	"time"
)

// ImagePoll is what is known of an image of a registry that is not this
// server's, and when that registry is asked about it next.
type ImagePoll struct {
	Image ImageName // with a tag, without a digest
	// Digest is behind the tag as far as anybody was told: of the last
	// ImageEvent. It is empty while it was never learnt, and when the tag is gone.
	Digest string
	// Validator is the entity tag of the manifest, where the registry has to be
	// asked with GET; otherwise empty.
	Validator string
	Checked   time.Time // when the registry last answered; zero for never
	Changed   time.Time // when Digest last changed; zero for never
	Next      time.Time // when it is asked again
	Failures  int       // in a row since Checked
	Problem   string    // the last of them, in words; empty for none
}

// ImagePollStore keeps what is known of images of other registries. Its methods
// may be called from several goroutines and servers.
type ImagePollStore interface {
	// ImagePoll returns what is known of an image; if nothing is, the error has
	// code NotFound.
	ImagePoll(ctx context.Context, image ImageName) (ImagePoll, error)

	// ImagePolls returns what is known of all images, ordered by their names.
	ImagePolls(ctx context.Context) ([]ImagePoll, error)

	// PutImagePoll creates or replaces what is known of an image.
	PutImagePoll(ctx context.Context, p ImagePoll) error

	// DeleteImagePoll forgets an image, known or not.
	DeleteImagePoll(ctx context.Context, image ImageName) error
}

// RegistryPause says that a registry is not to be asked for a while.
type RegistryPause struct {
	Host     string // as in ImageName
	Until    time.Time
	Failures int    // in a row; they make the next pause longer
	Reason   string // in words
}

// RegistryPauseStore keeps the pauses of registries, so that a restart does not
// end them: limits count per address, not per process. Its methods may be called
// from several goroutines and servers.
type RegistryPauseStore interface {
	// RegistryPauses returns all of them, ordered by their hosts.
	RegistryPauses(ctx context.Context) ([]RegistryPause, error)

	// PutRegistryPause replaces the pause of a registry; one without a time ends
	// it.
	PutRegistryPause(ctx context.Context, p RegistryPause) error
}

// WatchedImageStore knows which images tasks wait for.
type WatchedImageStore interface {
	// WatchedImages returns the images whose change makes a task due, or will when
	// the triggers of its registry go on, ordered by their names.
	WatchedImages(ctx context.Context) ([]ImageName, error)

	// ImageWatchers returns those tasks of an image, ordered by their ids.
	ImageWatchers(ctx context.Context, image ImageName) ([]ResourceID, error)
}
