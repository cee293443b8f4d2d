package cli

import (
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

// defaults are the flags that can have a default of the user's.
var defaultNames = []string{"acr", "group", "location"}

func configureCommand() command {
	var defaults args.List
	var list bool
	return command{
		use: "configure", short: "Set defaults for flags: acr, group, location",
		example: "  drydock configure --defaults acr=contoso group=demo",
		flags: func(f *flags) {
			f.VarP(&defaults, "defaults", "d", "NAME=VALUE, an empty value to take it back")
			f.BoolVarP(&list, "list-defaults", "l", false, "list them")
		},
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if list {
				all := []any{}
				for _, name := range defaultNames {
					if value := p.Defaults[name]; value != "" {
						all = append(all, object{"name": name, "value": value})
					}
				}
				return all, nil
			}
			if p.Defaults == nil {
				p.Defaults = map[string]string{}
			}
			for _, pair := range defaults.Values {
				name, value, ok := strings.Cut(pair, "=")
				if !ok || !isDefault(name) {
					return nil, drydock.Errorf(drydock.Invalid, "%q is not a default", pair).
						WithHint("it is NAME=VALUE, where NAME is %s", strings.Join(defaultNames, ", "))
				}
				p.Defaults[name] = value
			}
			return nil, c.store.Save(p)
		},
	}
}

func isDefault(name string) bool {
	for _, known := range defaultNames {
		if name == known {
			return true
		}
	}
	return false
}
