package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// groupFlags name a resource group.
type groupFlags struct{ name string }

func (g *groupFlags) define(f *flags) {
	f.StringVarP(&g.name, "name", "n", "", "name of the resource group (also -g, --resource-group)")
	f.StringVarP(&g.name, "resource-group", "g", "", "")
	_ = f.MarkHidden("resource-group") // fails for flags that are not there only
}

func (g *groupFlags) path(c *call, a *api) (string, error) {
	if g.name == "" {
		g.name = a.session.profile.Defaults["group"]
	}
	if g.name == "" {
		return "", missingFlags(c.cmd, []string{"name"})
	}
	return a.base + "/resourceGroups/" + escape(g.name), nil
}

func (g *groupFlags) request(c *call, method string, body any) (*api, request, error) {
	a, err := c.api()
	if err != nil {
		return nil, request{}, err
	}
	path, err := g.path(c, a)
	return a, request{method: method, path: path, version: resourcesVersion, body: body}, err
}

func groupTable(item any) output.Row {
	return output.Row{
		{Column: "Name", Value: text(item, "name")},
		{Column: "Location", Value: text(item, "location")},
		{Column: "Status", Value: text(item, "properties", "provisioningState")},
	}
}

func groupCreate() command {
	var g groupFlags
	var location string
	var tags args.List
	return command{
		use: "create", short: "Create a resource group", table: groupTable,
		example: "  drydock group create -n demo -l local",
		flags: func(f *flags) {
			g.define(f)
			f.StringVarP(&location, "location", "l", "", "where it is; any word will do")
			tagsFlag(f, &tags)
		},
		run: func(c *call) (any, error) {
			a, r, err := g.request(c, http.MethodPut, nil)
			if err != nil {
				return nil, err
			}
			r.body = with("location", a.location(location), "tags", tagsOf(tags))
			return a.do(c.ctx, r)
		},
	}
}

// location returns a location, the user's default for none.
func (a *api) location(given string) string {
	if given == "" {
		given = a.session.profile.Defaults["location"]
	}
	if given == "" {
		given = "local"
	}
	return given
}

func groupShow() command {
	var g groupFlags
	return command{use: "show", short: "Show a resource group", table: groupTable, flags: g.define, run: func(c *call) (any, error) {
		a, r, err := g.request(c, http.MethodGet, nil)
		if err != nil {
			return nil, err
		}
		return a.do(c.ctx, r)
	}}
}

func groupList() command {
	return command{use: "list", short: "List resource groups", table: groupTable, run: func(c *call) (any, error) {
		a, err := c.api()
		if err != nil {
			return nil, err
		}
		return a.list(c.ctx, request{path: a.base + "/resourceGroups", version: resourcesVersion}, 0)
	}}
}
