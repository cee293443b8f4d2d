package cli

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

func scopeMapUpdate() command {
	var m scopeMapFlags
	var more, less actionFlags
	var about string
	return command{
		use: "update", short: "Change a scope map, and with it what its tokens may do", table: scopeMapTable,
		example: "  drydock acr scope-map update -r contoso -n readers --add-repository hello-world content/write --remove-repository hello-world metadata/read",
		flags: func(f *flags) {
			m.define(f)
			more.define(f, "add-", "what is to be allowed too")
			less.define(f, "remove-", "what is not to be allowed any more")
			f.Var(&more.repositories, "add", "")
			f.Var(&less.repositories, "remove", "")
			f.Lookup("add").Hidden, f.Lookup("remove").Hidden = true, true // az's old names
			f.StringVar(&about, "description", "", "what it is for; 256 characters at most")
		},
		run: func(c *call) (any, error) {
			if !more.given() && !less.given() && about == "" {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "no scope map properties to update").
					WithHint("give --add-repository, --remove-repository or --description"))
			}
			r, err := m.find(c)
			if err != nil {
				return nil, err
			}
			now, err := r.child(c, http.MethodGet, "scopeMaps", m.name, nil)
			if err != nil {
				return nil, err
			}
			actions, err := changedActions(c, now, &more, &less)
			if err != nil {
				return nil, err
			}
			changed, err := r.child(c, http.MethodPatch, "scopeMaps", m.name, scopeMapBody(actions, about))
			return flatMap(changed), err
		},
	}
}

// changedActions returns the actions of a scope map with some more and some
// less. What is asked to be both is an error, since the order would matter.
func changedActions(c *call, scopeMap object, more, less *actionFlags) ([]string, error) {
	add, err := more.actions(c)
	if err != nil {
		return nil, err
	}
	remove, err := less.actions(c)
	if err != nil {
		return nil, err
	}
	var both []string
	for _, action := range add {
		if slices.Contains(remove, action) {
			both = append(both, strings.TrimPrefix(action, "repositories/"))
		}
	}
	if both != nil {
		slices.Sort(both)
		return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "to be added and to be removed: %s", strings.Join(both, ", ")))
	}
	var actions []string
	now, _ := at(scopeMap, "properties", "actions").([]any)
	for _, action := range now {
		if text, ok := action.(string); ok && !slices.Contains(remove, text) {
			actions = append(actions, text)
		}
	}
	for _, action := range add {
		if !slices.Contains(actions, action) {
			actions = append(actions, action)
		}
	}
	return actions, nil
}
