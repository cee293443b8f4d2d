// Package dockercmd is the `docker` client of a run: a builtin that works on
// the run's own image table and on registries, without a daemon. It parses
// command lines as docker does and prints what scripts expect of docker; what
// is done, it leaves to a Store.
package dockercmd

import (
	"context"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock/internal/buildflags"
)

// ErrNotFound is what the ports return, wrapped or not, for an image that is
// neither in the run's table nor, where they ask it, in the registry.
var ErrNotFound = errors.New("no such image")

// Store is what the client needs of a run. Its methods may be called from
// several goroutines.
//
// Image names given to it are always complete, as distribution/reference
// normalises them: "docker.io/library/busybox:latest",
// "localhost:5000/a@sha256:…". Errors are printed to the user as they are, so
// they must say what was done and hold no secret.
type Store interface {
	Images
	Manifests
	Logins
	Builder
}

// Images is the image table of a run.
type Images interface {
	// Pull asks the registry for name and puts what it finds into the table.
	// An empty platform means the run's default; for an index, the platform's
	// manifest must exist. Progress goes to out.
	Pull(ctx context.Context, name, platform string, out io.Writer) (Pulled, error)

	// Tag gives the image src, a name or an Image.ID, the name dst as well. The
	// manifest bytes stay as they are.
	Tag(ctx context.Context, src, dst string) error

	// Push sends the image to the registry of its name and returns the
	// descriptor of the manifest or index there. Progress goes to out.
	Push(ctx context.Context, name string, out io.Writer) (ocispec.Descriptor, error)

	// Remove takes a name out of the table, or an image by its Image.ID with
	// all its names.
	Remove(ctx context.Context, name string) error

	// List returns the images that were built, pulled, tagged or loaded in the
	// run, each once with all its names, newest first.
	List(ctx context.Context) ([]Image, error)

	// Inspect returns the image of a name. It knows more names than List: those
	// that builds of the run resolved in a FROM are included.
	Inspect(ctx context.Context, name string) (Image, error)
}

// Pulled is the outcome of a pull.
type Pulled struct {
	Descriptor ocispec.Descriptor // of the manifest or index that the name stands for
	Changed    bool               // the table did not have it, or had another under the name
}

// Manifests reads and writes manifests and indexes.
type Manifests interface {
	// Manifest returns the manifest or index of a name and its bytes: that of
	// the run's table if it is there, else the registry's.
	Manifest(ctx context.Context, name string) (ocispec.Descriptor, []byte, error)

	// Blob returns a small blob (at most 4 MiB) of an image: the config of the
	// manifest that name stands for, say.
	Blob(ctx context.Context, name string, desc ocispec.Descriptor) ([]byte, error)

	// PutManifest sends a manifest or index to the registry of its name and,
	// before it, all that it refers to and that the target lacks.
	PutManifest(ctx context.Context, put PutManifest) (digest.Digest, error)
}

// PutManifest is a manifest to be sent.
type PutManifest struct {
	Name      string // target, with a tag
	MediaType string
	Data      []byte
	// From says under which name contents can be read: an entry for each
	// manifest that an index lists, or one for the manifest itself.
	From map[digest.Digest]string
}

// Logins are the registry credentials of a run.
type Logins interface {
	// Login asks the registry whether it accepts the user and, if so, uses
	// these credentials from then on. registry is a host with its port if any;
	// that of Docker Hub is "docker.io".
	Login(ctx context.Context, registry, user, password string) error

	// Logout forgets what Login added and reports whether there was something.
	Logout(ctx context.Context, registry string) (bool, error)
}

// Builder builds images.
type Builder interface {
	// Build builds an image into the table, under its tags if it has some, and
	// returns its Image.ID. Progress goes to in.Stderr. With flags.Push it is
	// also pushed.
	Build(ctx context.Context, flags *buildflags.Build, in Invocation) (id string, err error)
}

// Invocation is one call of the client.
type Invocation struct {
	Args   []string  // after "docker"
	Env    []string  // NAME=value
	Dir    string    // working directory, as the Builder understands it
	Stdin  io.Reader // nil for none
	Stdout io.Writer
	Stderr io.Writer
}
