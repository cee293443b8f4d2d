package buildkit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/cache"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/drydockhq/drydock"
)

// image is an image of a run: one that it built, or one of a registry. Its
// methods may be called from several goroutines.
type image interface {
	// open returns the image's files and config for a platform, fetching what
	// is not here. The reference is held until the image is released.
	open(ctx context.Context, platform ocispec.Platform) (cache.ImmutableRef, []byte, error)

	// target returns the descriptor of the manifest or index that a push sends,
	// and a provider of all that it refers to.
	target(ctx context.Context) (ocispec.Descriptor, content.Provider, error)

	release(ctx context.Context) error
}

// sameImage reports whether two images have the same manifest or index.
func sameImage(a, b image) bool {
	switch a := a.(type) {
	case *builtImage:
		other, ok := b.(*builtImage)
		return ok && (a == other || a.equals(other))
	case *registryImage:
		other, ok := b.(*registryImage)
		return ok && a.desc.Digest == other.desc.Digest
	}
	return false
}

// tag is a name in the image table.
type tag struct {
	image image
	since time.Time
	// resolved marks a name that a build met in a FROM: known, but not listed.
	resolved bool
}

// imageTable holds the images of a run under their complete names, as
// distribution/reference normalises them.
type imageTable struct {
	session *session

	mu     sync.Mutex
	tags   map[string]tag
	images []image // all that were ever in the table
	pins   map[string]*pin
}

func newImageTable(s *session) *imageTable {
	return &imageTable{session: s, tags: map[string]tag{}, pins: map[string]*pin{}}
}

// completeName normalises an image name as docker does.
func completeName(name string) (string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "%q is not an image name: %w", name, err)
	}
	return reference.TagNameOnly(named).String(), nil
}

// find returns the image of a complete name, or nil.
func (t *imageTable) find(name string) image {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tags[name].image
}

// put gives an image a complete name.
func (t *imageTable) put(name string, img image) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(name, tag{image: img, since: time.Now()})
}

// putResolved gives an image a name unless the name is taken.
func (t *imageTable) putResolved(name string, img image) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, taken := t.tags[name]; !taken {
		t.set(name, tag{image: img, resolved: true})
	}
}

// set names an image. The caller holds the lock.
func (t *imageTable) set(name string, to tag) {
	t.tags[name] = to
	if !slices.Contains(t.images, to.image) {
		t.images = append(t.images, to.image)
	}
}

// hold keeps an image without a name until the run ends.
func (t *imageTable) hold(img image) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.images = append(t.images, img)
}

// remove takes a name out and reports whether it was there.
func (t *imageTable) remove(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, found := t.tags[name]
	delete(t.tags, name)
	return found
}

// names returns a copy of the table.
func (t *imageTable) names() map[string]tag {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[string]tag, len(t.tags))
	for name, tag := range t.tags {
		out[name] = tag
	}
	return out
}

// Close lets go of all images.
func (t *imageTable) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, img := range t.images {
		errs = append(errs, img.release(context.Background()))
	}
	t.images, t.tags = nil, nil
	return errors.Join(errs...)
}
