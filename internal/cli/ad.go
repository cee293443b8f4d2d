package cli

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/output"
)

func directoryTable(item any) output.Row {
	return output.Row{
		cell("DisplayName", item, "displayName"), cell("Id", item, "id"), cell("AppId", item, "appId"), cell("CreatedDateTime", item, "createdDateTime"),
	}
}

func idFlag(f *flags, kind directoryKind, id *string) {
	switch kind.path {
	case users.path:
		f.StringVar(id, "id", "", "user principal name, object id or name of the user")
	case groups.path: // the Azure CLI's flag has another name
		f.StringVarP(id, "group", "g", "", "name or object id of the group")
		f.need("group")
		return
	default:
		f.StringVar(id, "id", "", "client id, object id or name of the "+kind.noun)
	}
	f.need("id")
}

func adList(kind directoryKind) command {
	var name, clientID, filter string
	var all bool
	return command{
		use: "list", short: "List " + kind.noun + "s", table: directoryTable,
		flags: func(f *flags) {
			f.StringVar(&name, "display-name", "", "the name, or its beginning")
			if kind.command() == "sp" {
				f.StringVar(&clientID, "spn", "", "client id")
			} else {
				f.StringVar(&clientID, "app-id", "", "client id")
			}
			f.StringVar(&filter, "filter", "", "a condition in OData's language, as \"displayName eq 'ci'\"")
			f.BoolVar(&all, "all", false, "all of them, which are listed in any case")
		},
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			var conditions []string
			if filter != "" {
				conditions = append(conditions, "("+filter+")")
			}
			if clientID != "" {
				conditions = append(conditions, kind.names(clientID))
			}
			if name != "" {
				conditions = append(conditions, "startswith(displayName,"+quote(name)+")")
			}
			list, err := g.search(c, kind, strings.Join(conditions, " and "))
			slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(text(a, "displayName"), text(b, "displayName")) })
			return list, err
		},
	}
}

func adShow(kind directoryKind) command {
	var id string
	return command{
		use: "show", short: "Show " + article(kind.noun), table: directoryTable,
		flags: func(f *flags) { idFlag(f, kind, &id) },
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			return g.find(c, kind, id)
		},
	}
}

func article(noun string) string {
	if strings.ContainsAny(noun[:1], "aeiou") {
		return "an " + noun
	}
	return "a " + noun
}

func adDelete(kind directoryKind) command {
	var id string
	short := map[string]string{
		"app": "Delete an application with its service principal", "sp": "Delete a service principal with its roles; its application stays",
		"user": "Delete a user with its roles", "group": "Delete a group with its roles",
	}[kind.command()]
	return command{
		use: "delete", short: short,
		flags: func(f *flags) { idFlag(f, kind, &id) },
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			o, err := g.find(c, kind, id)
			if err != nil {
				return nil, err
			}
			_, err = g.do(c.ctx, request{method: http.MethodDelete, path: g.object(kind, o)})
			return nil, err
		},
	}
}
