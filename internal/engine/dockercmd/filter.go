package dockercmd

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/distribution/reference"
)

// imageFilter returns whether an image passes the --filter flags: filters of
// one kind are alternatives (labels excepted), those of different kinds add up.
func (k *call) imageFilter(filters []string) (func(Image) bool, error) {
	references := []string{}
	var all []func(Image) bool
	for _, f := range filters {
		key, value, _ := strings.Cut(f, "=")
		if key == "reference" {
			references = append(references, value)
			continue
		}
		keep, err := k.oneFilter(key, value)
		if err != nil {
			return nil, err
		}
		all = append(all, keep)
	}
	if len(references) > 0 {
		for _, pattern := range references {
			if _, err := path.Match(pattern, ""); err != nil {
				return nil, fmt.Errorf("invalid filter 'reference=%s': %w", pattern, err)
			}
		}
		all = append(all, func(i Image) bool { return i.matches(references) })
	}
	return func(i Image) bool {
		for _, keep := range all {
			if !keep(i) {
				return false
			}
		}
		return true
	}, nil
}

// oneFilter returns the test for a filter of any kind but reference.
func (k *call) oneFilter(key, value string) (func(Image) bool, error) {
	switch key {
	case "dangling":
		want, err := strconv.ParseBool(value)
		if err != nil {
			return nil, fmt.Errorf("invalid filter 'dangling=%s'", value)
		}
		return func(i Image) bool { return (len(i.Names) == 0) == want }, nil
	case "label":
		name, wanted, exact := strings.Cut(value, "=")
		return func(i Image) bool {
			config, err := i.config()
			have, ok := config.Config.Labels[name]
			return err == nil && ok && (!exact || have == wanted)
		}, nil
	case "before", "since":
		image, err := k.find(value)
		if err != nil {
			return nil, err
		}
		border := image.created()
		if key == "before" {
			return func(i Image) bool { return i.created().Before(border) }, nil
		}
		return func(i Image) bool { return i.created().After(border) }, nil
	default:
		return nil, fmt.Errorf("invalid filter '%s': dangling, label, reference, before and since are known", key)
	}
}

// matches reports whether a name of the image fits one of the patterns.
func (i *Image) matches(patterns []string) bool {
	for _, name := range i.Names {
		named, err := reference.ParseNormalizedNamed(name)
		if err != nil {
			continue
		}
		for _, p := range patterns {
			whole, err := reference.FamiliarMatch(p, named)
			if err == nil && whole {
				return true
			}
			repository, err := reference.FamiliarMatch(p, reference.TrimNamed(named))
			if err == nil && repository {
				return true
			}
		}
	}
	return false
}

// created returns when the image says it was made; zero when it doesn't.
func (i *Image) created() time.Time {
	config, err := i.config()
	if err != nil || config.Created == nil {
		return time.Time{}
	}
	return *config.Created
}

// digestIn returns the digest under which a repository has the image, "" if none.
func (i *Image) digestIn(repository string) string {
	for _, d := range i.Digests {
		if digest, ok := strings.CutPrefix(d, repository+"@"); ok {
			return digest
		}
	}
	return ""
}

// shortID returns the twelve digits that docker shows of an ID.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(len(id), 12)]
}
