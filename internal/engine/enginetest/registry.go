package enginetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
)

// Registry is where fake sessions pull from and push to. Its methods may be
// called from several goroutines.
type Registry struct {
	mu      sync.Mutex
	digests map[string]string // by reference
	fail    map[string]int    // pushes and pulls that are still to fail
	tries   map[string]int
}

// NewRegistry returns a registry that holds the given images.
func NewRegistry(images ...string) *Registry {
	r := &Registry{digests: make(map[string]string), fail: make(map[string]int), tries: make(map[string]int)}
	for _, image := range images {
		r.digests[image] = digestOf(image)
	}
	return r
}

// digestOf makes up the digest of a manifest with the given content.
func digestOf(content string) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content)))
}

// Fail makes the next n pulls or pushes of an image fail.
func (r *Registry) Fail(image string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail[image] = n
}

// Digest returns what stands at a reference.
func (r *Registry) Digest(_ context.Context, image string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest, ok := r.digests[image]
	if !ok {
		return "", fmt.Errorf("%s: not found", image)
	}
	return digest, nil
}

// Tries returns how often an image was pulled or pushed.
func (r *Registry) Tries(image string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tries[image]
}

var errUnreachable = errors.New("the registry does not answer")

func (r *Registry) try(image string) error {
	r.tries[image]++
	if r.fail[image] > 0 {
		r.fail[image]--
		return errUnreachable
	}
	return nil
}

func (r *Registry) push(image, digest string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.try(image); err != nil {
		return err
	}
	r.digests[image] = digest
	return nil
}

func (r *Registry) pull(image string) (string, error) {
	r.mu.Lock()
	err := r.try(image)
	r.mu.Unlock()
	if err != nil {
		return "", err
	}
	return r.Digest(context.Background(), image)
}
