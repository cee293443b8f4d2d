package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/output"
)

// scopeMapFlags say which scope map a command is about.
type scopeMapFlags struct {
	registryFlags
	name string
}

func (m *scopeMapFlags) define(f *flags) {
	f.StringVarP(&m.name, "name", "n", "", "name of the scope map")
	m.byRegistry(f)
	f.need("name")
}

// child carries out a request for a resource of a kind below the registry.
func (r *registry) child(c *call, method, kind, name string, body any) (object, error) {
	q := request{method: method, path: r.path + "/" + kind + "/" + escape(name), version: registryVersion, body: body}
	if method == http.MethodGet {
		return r.api.do(c.ctx, q)
	}
	return r.operate(c.ctx, q, true)
}

// description cuts a text to what az's tables have room for.
func description(text string) string {
	if letters := []rune(text); len(letters) > 57 {
		return string(letters[:57]) + "..."
	}
	return text
}

func scopeMapTable(item any) output.Row {
	kind := text(item, "typePropertiesType")
	return output.Row{
		cell("NAME", item, "name"),
		{Column: "TYPE", Value: shown(kind)},
		{Column: "CREATION DATE", Value: shown(when(text(item, "creationDate")))},
		{Column: "DESCRIPTION", Value: shown(description(text(item, "description")))},
	}
}

// flatMap shows a scope map as the Azure CLI does: who defined it is its
// typePropertiesType, beside the type of the resource.
func flatMap(v any) any {
	if list, ok := v.([]any); ok {
		for i := range list {
			list[i] = flatMap(list[i])
		}
		return v
	}
	kind := text(v, "properties", "type")
	o, ok := flat(v).(object)
	if ok && kind != "" {
		o["typePropertiesType"] = kind
	}
	return v
}

func scopeMapCreate() command {
	var m scopeMapFlags
	var may actionFlags
	var about string
	return command{
		use: "create", short: "Create a scope map", table: scopeMapTable,
		example: "  drydock acr scope-map create -r contoso -n readers --repository hello-world content/read metadata/read --repository 'team/*' content/read",
		flags: func(f *flags) {
			m.define(f)
			may.define(f, "", "what may be done in a repository; may be given several times")
			f.StringVar(&about, "description", "", "what it is for; 256 characters at most")
		},
		run: func(c *call) (any, error) {
			actions, err := may.actions(c)
			if err != nil {
				return nil, err
			}
			r, err := m.find(c)
			if err != nil {
				return nil, err
			}
			made, err := r.child(c, http.MethodPut, "scopeMaps", m.name, scopeMapBody(actions, about))
			return flatMap(made), err
		},
	}
}

func scopeMapBody(actions []string, about string) object {
	properties := object{"actions": append([]string{}, actions...)}
	if about != "" {
		properties["description"] = about
	}
	return object{"properties": properties}
}

func scopeMapShow() command {
	var m scopeMapFlags
	return command{use: "show", short: "Show a scope map", table: scopeMapTable, flags: m.define, run: func(c *call) (any, error) {
		r, err := m.find(c)
		if err != nil {
			return nil, err
		}
		found, err := r.child(c, http.MethodGet, "scopeMaps", m.name, nil)
		return flatMap(found), err
	}}
}

func scopeMapList() command {
	var r registryFlags
	return command{use: "list", short: "List scope maps, those of the system too", table: scopeMapTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/scopeMaps", version: registryVersion}, 0)
		return flatMap(list), err
	}}
}

func scopeMapDelete() command {
	var m scopeMapFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a scope map; tokens that have it may do nothing from then on",
		flags: func(f *flags) {
			m.define(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			if err := c.confirm(yes, "Delete the scope map '%s'? Tokens that have it may do nothing from then on", m.name); err != nil {
				return nil, err
			}
			r, err := m.find(c)
			if err != nil {
				return nil, err
			}
			_, err = r.child(c, http.MethodDelete, "scopeMaps", m.name, nil)
			return nil, err
		},
	}
}
