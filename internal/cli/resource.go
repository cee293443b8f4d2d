package cli

import (
	"net/url"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/output"
)

func resourceTable(item any) output.Row {
	return output.Row{
		{Column: "Name", Value: text(item, "name")},
		{Column: "ResourceGroup", Value: text(item, "resourceGroup")},
		{Column: "Location", Value: text(item, "location")},
		{Column: "Type", Value: text(item, "type")},
	}
}

func resourceList() command {
	var group, kind, name string
	return command{
		use: "list", short: "List resources", table: resourceTable,
		flags: func(f *flags) {
			f.StringVarP(&group, "resource-group", "g", "", "name of the resource group")
			f.StringVar(&kind, "resource-type", "", "type, as Microsoft.ContainerRegistry/registries")
			f.StringVarP(&name, "name", "n", "", "name")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			r := request{path: a.base + "/resources", version: resourcesVersion}
			if group != "" {
				r.path = a.base + "/resourceGroups/" + escape(group) + "/resources"
			}
			var filter []string
			for _, f := range []struct{ key, value string }{{"resourceType", kind}, {"name", name}} {
				if f.value != "" {
					filter = append(filter, f.key+" eq "+quote(f.value))
				}
			}
			if filter != nil {
				r.query = url.Values{"$filter": {strings.Join(filter, " and ")}}
			}
			list, err := a.list(c.ctx, r, 0)
			return flatResources(list), err
		},
	}
}

// flatResources adds the resource groups that are in the ids.
func flatResources(list []any) []any {
	for _, item := range list {
		if o, ok := item.(object); ok {
			if m := groupOfID.FindStringSubmatch(text(o, "id")); m != nil {
				o["resourceGroup"] = m[1]
			}
		}
	}
	return list
}

// quote writes a string as OData has it.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
