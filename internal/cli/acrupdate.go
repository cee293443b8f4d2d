package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/args"
)

func acrUpdate() command {
	var r registryFlags
	var tags args.List
	s := registrySettings{sku: args.Enum{Choices: skus}}
	return command{
		use: "update", short: "Change a registry", table: registryTable,
		example: "  drydock acr update -n contoso --admin-enabled true",
		flags: func(f *flags) {
			r.byName(f)
			s.define(f)
			tagsFlag(f, &tags)
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			body := with("tags", tagsOf(tags), "properties", s.properties(false))
			if s.sku.Value != "" {
				body["sku"] = object{"name": s.sku.Value}
			}
			changed, err := registry.operate(c.ctx, request{method: http.MethodPatch, path: registry.path, version: registryVersion, body: body}, true)
			return flat(changed), err
		},
	}
}
