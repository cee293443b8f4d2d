package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

func acrShow() command {
	var r registryFlags
	return command{use: "show", short: "Show a registry", table: registryTable, flags: r.byName, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		shown, err := registry.get(c)
		return flat(shown), err
	}}
}

func acrList() command {
	return resourcesOf{"List registries", registryType, registryVersion, registryTable, flat}.command()
}

func acrDelete() command {
	var r registryFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a registry with all that is in it",
		flags: func(f *flags) {
			r.byName(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the registry %q with all that is in it?", registry.name); err != nil {
				return nil, err
			}
			_, err = registry.operate(c.ctx, request{method: http.MethodDelete, path: registry.path, version: registryVersion}, true)
			return nil, err
		},
	}
}

func acrCheckName() command {
	return nameCheck{"Ask whether a registry can have a name", "the name", registryType, registryVersion, "Microsoft.ContainerRegistry"}.command()
}

func acrUsage() command {
	var r registryFlags
	return command{use: "show-usage", short: "Show how much a registry holds", table: usageTable, flags: r.byName, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		usage, err := registry.do(c.ctx, request{method: http.MethodGet, path: registry.path + "/listUsages", version: registryVersion})
		if err != nil {
			return nil, err
		}
		list, ok := usage["value"].([]any)
		if !ok {
			return nil, drydock.Errorf(drydock.Failed, "the server does not say how much the registry holds")
		}
		return list, nil
	}}
}
