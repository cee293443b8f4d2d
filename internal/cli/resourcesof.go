package cli

import "github.com/drydockhq/drydock/internal/cli/output"

// resourcesOf is a command that lists the resources of a type.
type resourcesOf struct {
	short         string
	kind, version string // the type, and the API's version
	table         output.Table
	shown         func(any) any // how they are printed
}

// command returns it: the resources of all groups, or of one.
func (l resourcesOf) command() command {
	var group string
	return command{
		use: "list", short: l.short, table: l.table,
		flags: func(f *flags) { f.StringVarP(&group, "resource-group", "g", "", "name of the resource group") },
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			path := a.base
			if group != "" {
				path += "/resourceGroups/" + escape(group)
			}
			list, err := a.list(c.ctx, request{path: path + "/providers/" + l.kind, version: l.version}, 0)
			return l.shown(list), err
		},
	}
}
