package plan

import (
	"strings"

	"github.com/agext/levenshtein"
)

// nearest returns "did you mean …" when one of the names is nearly word, and
// "" when none is.
func nearest(word string, names []string) string {
	best, distance := "", max(1, len(word)/3)+1
	for _, name := range names {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(name), nil); d < distance {
			best, distance = name, d
		}
	}
	if best == "" || best == word {
		return ""
	}
	return "did you mean `" + best + "`?"
}

// maxListed is how many names a hint lists.
const maxListed = 10

// nearestOr returns nearest's hint, or else the names when they are few.
func nearestOr(word string, names []string, kind string) string {
	if hint := nearest(word, names); hint != "" {
		return hint
	}
	if len(names) == 0 || len(names) > maxListed {
		return ""
	}
	return kind + " " + strings.Join(names, ", ")
}
