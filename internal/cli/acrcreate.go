package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

var skus = []string{"Basic", "Standard", "Premium", "Classic"}

func acrCreate() command {
	var name, group, location string
	var tags args.List
	s := registrySettings{sku: args.Enum{Choices: skus}}
	var workspace, identity, key string
	return command{
		use: "create", short: "Create a registry", table: registryTable,
		example: "  drydock acr create -n contoso -g demo --sku Basic",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name of the registry: 5 to 50 lower-case letters and digits")
			f.StringVarP(&group, "resource-group", "g", "", "name of the resource group")
			f.StringVarP(&location, "location", "l", "", "where it is (default: where the resource group is)")
			s.define(f)
			tagsFlag(f, &tags)
			f.StringVar(&workspace, "workspace", "", "ignored: a Log Analytics workspace")
			f.StringVar(&identity, "identity", "", "ignored: the identity of customer-managed keys")
			f.StringVar(&key, "key-encryption-key", "", "ignored: a customer-managed key")
			f.need("name", "sku")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			if name != strings.ToLower(name) {
				return nil, drydock.Errorf(drydock.Invalid, "the name of a registry has lower-case letters and digits only, not as %q", name)
			}
			path, err := (&groupFlags{group}).path(c, a)
			if err != nil {
				return nil, err
			}
			if location, err = a.locationOf(c, path, location); err != nil {
				return nil, err
			}
			created, err := a.operate(c.ctx, request{
				method: http.MethodPut, path: path + "/providers/" + registryType + "/" + escape(name), version: registryVersion,
				body: with("location", location, "sku", object{"name": s.sku.Value}, "tags", tagsOf(tags), "properties", s.properties(true)),
			}, true)
			return flat(created), err
		},
	}
}

// locationOf returns a location, that of the resource group for none.
func (a *api) locationOf(c *call, group, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	g, err := a.do(c.ctx, request{method: http.MethodGet, path: group, version: resourcesVersion})
	return text(g, "location"), err
}
