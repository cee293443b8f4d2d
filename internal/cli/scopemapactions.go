package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// actionFlags are flags that name repositories and what may be done there.
type actionFlags struct {
	repositories args.Groups
	gateways     args.Groups
}

// define defines a flag for repositories and its twin for gateways.
func (a *actionFlags) define(f *flags, prefix, usage string) {
	f.Var(&a.repositories, prefix+"repository", usage+", as REPOSITORY ACTION ..., where a trailing * stands for all names that begin so; actions: "+strings.Join(drydock.ScopeVerbs(), ", "))
	f.Var(&a.gateways, prefix+"gateway", "for connected registries, which Drydock has none of")
	f.Lookup(prefix + "gateway").Hidden = true
}

// given reports whether there is one of the flags.
func (a *actionFlags) given() bool { return len(a.repositories)+len(a.gateways) > 0 }

// actions returns the actions of scope maps that the flags stand for, each once.
func (a *actionFlags) actions(c *call) ([]string, error) {
	if len(a.gateways) > 0 {
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "there are no connected registries, so no actions on a gateway").
			WithHint("leave out the gateway %q", a.gateways[0][0]))
	}
	var actions []string
	for _, group := range a.repositories {
		name, verbs := strings.ToLower(group[0]), group[1:]
		if len(verbs) == 0 {
			return nil, usageError(c.cmd, fmt.Errorf("at least one action must be given for the repository %q", name))
		}
		for _, verb := range verbs {
			verb = strings.ToLower(verb)
			if !slices.Contains(drydock.ScopeVerbs(), verb) {
				return nil, usageError(c.cmd, fmt.Errorf("invalid action %q: it is none of %s", verb, strings.Join(drydock.ScopeVerbs(), ", ")))
			}
			if action := "repositories/" + name + "/" + verb; !slices.Contains(actions, action) {
				actions = append(actions, action)
			}
		}
	}
	return actions, nil
}
