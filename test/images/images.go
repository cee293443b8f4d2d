// Package images makes the base images that tests, benchmarks and the demo use,
// from programs that are installed on this machine, so that none of them needs
// the internet.
//
// An image is built once and kept as an OCI layout. Its folder is named by a
// hash of everything that goes into it, so a new version of a package or a
// changed recipe makes a new one. Several processes may ask for the same image
// at the same time: one builds, the others wait for it.
//
// The images are:
//
//   - busybox: busybox with a link for each of its applets.
//   - bash: bash, and busybox for the rest. A first argument that is a flag or no
//     command is given to bash.
//   - curl: curl with the CA certificates of this machine; the entrypoint is curl.
//   - web: a web server on port 80 (or $PORT) that serves /www.
//   - hello-world: one static program, no shell.
//   - node:15-alpine: Node 15 and npm 7.
//   - helm: Helm 3; the entrypoint is helm.
//   - oras: a client for artifacts; the entrypoint is oras.
//   - multi: an index of busybox for this machine's architecture, an image for
//     one that it can't run, and an attestation.
package images

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/drydockhq/drydock"
)

// Names of the images that this package can make.
const (
	Busybox    = "busybox"
	Bash       = "bash"
	Curl       = "curl"
	Web        = "web"
	HelloWorld = "hello-world"
	Node       = "node:15-alpine"
	Helm       = "helm"
	Oras       = "oras"
	Multi      = "multi"
)

// Names returns the names of all images.
func Names() []string {
	return []string{Busybox, Bash, Curl, Web, HelloWorld, Node, Helm, Oras, Multi}
}

// Get returns the image called name from the default store, building it first
// where that has not been done. For an index it is an error; use Index.
func Get(ctx context.Context, name string) (v1.Image, error) {
	store, err := Default()
	if err != nil {
		return nil, err
	}
	return store.Get(ctx, name)
}

// Index is Get for an index.
func Index(ctx context.Context, name string) (v1.ImageIndex, error) {
	store, err := Default()
	if err != nil {
		return nil, err
	}
	return store.Index(ctx, name)
}

// Push sends images of the default store to the registry at host; see
// Store.Push.
func Push(ctx context.Context, host string, names ...string) error {
	store, err := Default()
	if err != nil {
		return err
	}
	return store.Push(ctx, host, names)
}

// recipeOf returns what the image called name is made of.
func recipeOf(ctx context.Context, name string) (*recipe, error) {
	switch name {
	case Busybox:
		return busyboxRecipe(ctx)
	case Bash:
		return bashRecipe(ctx)
	case Curl:
		return curlRecipe(ctx)
	case Web:
		return webRecipe(ctx)
	case HelloWorld:
		return helloRecipe()
	case Node:
		return nodeRecipe(ctx)
	case Helm:
		return helmRecipe(ctx)
	case Oras:
		return orasRecipe(ctx)
	case Multi:
		return multiRecipe(ctx)
	}
	return nil, drydock.Errorf(drydock.Invalid, "there is no test image %q", name).
		WithHint("the images are %s", strings.Join(Names(), ", "))
}

// missing reports that the machine lacks the Debian package pkg.
func missing(pkg string, cause error) error {
	err := drydock.Errorf(drydock.Unavailable, "making test images: %s is not installed", pkg).
		WithHint(`run "make setup", which installs it`)
	err.Err = cause
	return err
}

// architecture names the machine's architecture as images and as Debian do.
type architecture struct {
	oci     string // arm64
	triplet string // aarch64-linux-gnu
}

// architectureOf returns the names for a GOARCH.
func architectureOf(goarch string) (architecture, error) {
	known := []architecture{{"amd64", "x86_64-linux-gnu"}, {"arm64", "aarch64-linux-gnu"}}
	i := slices.IndexFunc(known, func(a architecture) bool { return a.oci == goarch })
	if i < 0 {
		return architecture{}, fmt.Errorf("making test images: unknown architecture %q", goarch)
	}
	return known[i], nil
}
