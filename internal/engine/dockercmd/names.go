package dockercmd

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// parseName completes an image name as docker does: host, library/, tag. A name
// with tag and digest loses its tag.
func parseName(name string) (reference.Named, error) {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return nil, fmt.Errorf("invalid reference format: %q: %w", name, err)
	}
	return named, nil
}

// parseTarget completes the name that an image is to get; it can't be a digest.
func parseTarget(name string) (reference.NamedTagged, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, fmt.Errorf("invalid reference format: %q: %w", name, err)
	}
	if _, ok := named.(reference.Digested); ok {
		return nil, fmt.Errorf("%q has a digest, which can't be chosen: give a tag", name)
	}
	return reference.TagNameOnly(named).(reference.NamedTagged), nil
}

// tagOrDigest returns what follows the repository in a complete name.
func tagOrDigest(named reference.Named) string {
	switch n := named.(type) {
	case reference.Digested:
		return n.Digest().String()
	case reference.Tagged:
		return n.Tag()
	}
	return ""
}

// familiar shortens a complete name as docker prints it: busybox:latest.
func familiar(name string) string {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return reference.FamiliarString(named)
}

// familiarAll shortens names; the result is never nil, as in docker's JSON.
func familiarAll(names []string) []string {
	short := make([]string, 0, len(names))
	for _, n := range names {
		short = append(short, familiar(n))
	}
	return short
}

// defaulted says on standard output which tag was taken, when arg has none.
func (k *call) defaulted(arg string, named reference.Named) {
	plain, err := reference.ParseNormalizedNamed(arg)
	if err == nil && reference.IsNameOnly(plain) {
		k.printf("Using default tag: %s\n", tagOrDigest(named))
	}
}

// found is an image and how the store calls it: by name, or by its ID.
type found struct {
	Image
	key    string
	byName bool
}

// find returns the image that a name, an ID or the beginning of an ID stands for.
func (k *call) find(arg string) (found, error) {
	if hex, ok := strings.CutPrefix(arg, "sha256:"); ok {
		return k.findID(arg, hex)
	}
	if named, err := parseName(arg); err == nil {
		image, err := k.store.Inspect(k.ctx, named.String())
		if err == nil {
			return found{Image: image, key: named.String(), byName: true}, nil
		}
		if !errors.Is(err, ErrNotFound) {
			return found{}, err
		}
	}
	return k.findID(arg, arg)
}

// findID returns the image whose ID or target begins with hex.
func (k *call) findID(arg, hex string) (found, error) {
	if !regexp.MustCompile(`^[0-9a-f]{1,64}$`).MatchString(hex) {
		return found{}, noSuchImage(arg)
	}
	images, err := k.store.List(k.ctx)
	if err != nil {
		return found{}, err
	}
	var hits []found
	for _, i := range images {
		if strings.HasPrefix(i.ID, "sha256:"+hex) || strings.HasPrefix(i.Target.Digest.String(), "sha256:"+hex) {
			hits = append(hits, found{Image: i, key: i.ID})
		}
	}
	switch len(hits) {
	case 0:
		return found{}, noSuchImage(arg)
	case 1:
		return hits[0], nil
	default:
		return found{}, fmt.Errorf("%q is ambiguous: %d images begin with it", arg, len(hits))
	}
}

// missingError is docker's message for an image that is not here.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }

func (e *missingError) Is(target error) bool { return target == ErrNotFound }

// noSuchImage says that nothing is known under the name or ID.
func noSuchImage(arg string) error {
	return &missingError{"No such image: " + familiar(arg)}
}

// notTagged says that no image has the name that is to be pushed.
func notTagged(name string) error {
	return &missingError{"An image does not exist locally with the tag: " + name}
}
