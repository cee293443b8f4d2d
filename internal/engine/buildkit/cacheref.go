package buildkit

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// quickRun names the caches of runs without a task, as acb does.
const quickRun = "quickrun"

// cacheRef returns the image that `cache: enabled` keeps a step's cache in: the
// repository of the first tag that names a registry, else that of the first tag
// on the run's registry, with the tag cache_<task>_<step>. It is empty, and the
// log says why, when there is no registry to keep it in.
func (b *build) cacheRef() string {
	task := b.session.spec.TaskName
	if task == "" {
		task = quickRun
	}
	repository := b.cacheRepository()
	if repository == "" {
		fmt.Fprintf(b.Out, "WARNING: cache: enabled has no effect: neither a tag nor the run names a registry\n")
		return ""
	}
	return fmt.Sprintf("%s:cache_%s_%s", repository, task, b.StepID)
}

func (b *build) cacheRepository() string {
	var first string
	for _, tag := range b.Flags.Tags {
		named, err := reference.ParseNormalizedNamed(tag)
		if err != nil {
			continue
		}
		// A tag without a registry is normalised to Docker Hub's.
		if domain := reference.Domain(named); strings.HasPrefix(tag, domain+"/") {
			return named.Name()
		}
		if first == "" {
			first = reference.FamiliarName(named)
		}
	}
	if first == "" || b.session.spec.Registry == "" {
		return ""
	}
	return b.session.spec.Registry + "/" + first
}
