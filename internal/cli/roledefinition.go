package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

func roleTable(item any) output.Row {
	return output.Row{cell("Name", item, "roleName"), cell("Type", item, "type"), cell("Description", item, "description")}
}

// flatRole shows a role as the Azure CLI does.
func flatRole(role any) any {
	kind := text(role, "properties", "type")
	o, ok := flat(role).(object)
	if ok {
		o["roleType"] = kind
	}
	return o
}

func roleDefinitionList() command {
	var scope scopeFlags
	var name string
	var custom args.Bool
	return command{
		use: "list", short: "List roles", table: roleTable,
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name or GUID of the role")
			scope.define(f)
			custom.Var(f.FlagSet, "custom-role-only", "only roles that are not built in")
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			path, err := scope.path(c, a)
			if err != nil {
				return nil, err
			}
			all, err := a.roles(c, path, "")
			found := []any{}
			for _, role := range all {
				named := name == "" || strings.EqualFold(text(role, "name"), name) || strings.EqualFold(text(role, "properties", "roleName"), name)
				if named && (!custom.Or(false) || text(role, "properties", "type") == "CustomRole") {
					found = append(found, flatRole(role))
				}
			}
			return found, err
		},
	}
}

func roleDefinitionShow() command {
	var scope scopeFlags
	var name, id string
	return command{
		use: "show", short: "Show a role", table: roleTable,
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name or GUID of the role")
			f.StringVar(&id, "id", "", "id of the role, instead of --name")
			scope.define(f)
		},
		run: func(c *call) (any, error) {
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			if (name == "") == (id == "") {
				return nil, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "one of --name/-n and --id is required"))
			}
			path, err := scope.path(c, a)
			if err != nil {
				return nil, err
			}
			if id, err = a.roleID(c, name+id, path); err != nil {
				return nil, err
			}
			role, err := a.do(c.ctx, request{method: http.MethodGet, path: id, version: rolesVersion})
			if err != nil {
				return nil, err
			}
			return flatRole(role), nil
		},
	}
}
