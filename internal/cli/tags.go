package cli

import (
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
)

func tagsFlag(f *flags, tags *args.List) {
	tags.Empty = true
	f.Var(tags, "tags", "tags: KEY[=VALUE] ...")
}

// tagsOf returns the tags that a flag sets, nil for an absent flag.
func tagsOf(list args.List) any {
	if !list.Given {
		return nil
	}
	tags := object{}
	for _, pair := range list.Values {
		if key, value, _ := strings.Cut(pair, "="); key != "" {
			tags[key] = value
		}
	}
	return tags
}
