package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// tokenFlags say which token a command is about.
type tokenFlags struct {
	registryFlags
	name string
}

func (t *tokenFlags) define(f *flags) {
	f.StringVarP(&t.name, "name", "n", "", "name of the token")
	t.byRegistry(f)
	f.need("name")
}

// tokenStatus is the flag that az gives the same default everywhere.
func tokenStatus() args.Enum {
	return args.Enum{Value: "enabled", Choices: []string{"enabled", "disabled"}}
}

func tokenTable(item any) output.Row {
	id := text(item, "scopeMapId")
	status := text(item, "status")
	expiry := map[string]string{}
	passwords, _ := at(item, "credentials", "passwords").([]any)
	for _, p := range passwords {
		expiry[text(p, "name")] = expiryOf(p)
	}
	if status != "" {
		status = strings.ToUpper(status[:1]) + status[1:]
	}
	return output.Row{
		cell("NAME", item, "name"),
		{Column: "SCOPE MAP", Value: shown(id[strings.LastIndexByte(id, '/')+1:])},
		{Column: "PASSWORD1 EXPIRY", Value: expiry["password1"]},
		{Column: "PASSWORD2 EXPIRY", Value: expiry["password2"]},
		{Column: "STATUS", Value: shown(status)},
		cell("PROVISIONING STATE", item, "provisioningState"),
		{Column: "CREATION DATE", Value: shown(when(text(item, "creationDate")))},
	}
}

// expiryOf says when a password expires.
func expiryOf(password any) string {
	if at := text(password, "expiry"); at != "" {
		return when(at)
	}
	return "Never"
}

func tokenUpdate() command {
	var t tokenFlags
	var scopeMap string
	status := tokenStatus()
	return command{
		use: "update", short: "Change the scope map of a token, or whether it can be signed in with", table: tokenTable,
		flags: func(f *flags) {
			t.define(f)
			f.StringVar(&scopeMap, "scope-map", "", "name of the scope map that says what the token may do")
			f.Var(&status, "status", "whether the token can be signed in with")
		},
		run: func(c *call) (any, error) {
			r, err := t.find(c)
			if err != nil {
				return nil, err
			}
			properties := object{"status": status.Value}
			if scopeMap != "" {
				properties["scopeMapId"] = r.path + "/scopeMaps/" + scopeMap
			}
			changed, err := r.child(c, http.MethodPatch, "tokens", t.name, object{"properties": properties})
			return flat(changed), err
		},
	}
}

func tokenShow() command {
	var t tokenFlags
	return command{use: "show", short: "Show a token, without its passwords' values", table: tokenTable, flags: t.define, run: func(c *call) (any, error) {
		r, err := t.find(c)
		if err != nil {
			return nil, err
		}
		found, err := r.child(c, http.MethodGet, "tokens", t.name, nil)
		return flat(found), err
	}}
}

func tokenList() command {
	var r registryFlags
	return command{use: "list", short: "List tokens", table: tokenTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/tokens", version: registryVersion}, 0)
		return flat(list), err
	}}
}

func tokenDelete() command {
	var t tokenFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a token",
		flags: func(f *flags) {
			t.define(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			if err := c.confirm(yes, "Delete the token '%s'? Whoever signs in with it is refused from then on", t.name); err != nil {
				return nil, err
			}
			r, err := t.find(c)
			if err != nil {
				return nil, err
			}
			_, err = r.child(c, http.MethodDelete, "tokens", t.name, nil)
			return nil, err
		},
	}
}
