package buildflags

import (
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
)

// unknown says which known flag is nearest. A group of short flags is not
// shown as it is, since it may hold a value.
func (p *parser) unknown(err *pflag.NotExistError) *drydock.Error {
	name := err.GetSpecifiedName()
	group, _, _ := strings.Cut(err.GetSpecifiedShortnames(), "=")
	switch {
	case group == "":
		e := invalid("unknown flag --%s of `docker build`", name)
		if known := p.nearest(name); known != "" {
			return e.WithHint("did you mean --%s", known)
		}
		return e
	case p.flags.Lookup(group) != nil:
		return invalid("unknown flag -%s of `docker build`", group).WithHint("did you mean --%s", group)
	default:
		return invalid("unknown flag -%s of `docker build`", name)
	}
}

// nearest returns the known flag that takes the fewest edits, or "" when none
// is near.
func (p *parser) nearest(name string) string {
	best, least := "", 1+max(1, len(name)/3)
	p.flags.VisitAll(func(f *pflag.Flag) {
		if d := levenshtein.Distance(name, f.Name, nil); d < least {
			best, least = f.Name, d
		}
	})
	return best
}

// spelled returns a flag as `docker build --help` lists it.
func spelled(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + "/--" + f.Name
	}
	return "--" + f.Name
}
