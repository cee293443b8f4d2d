package cli

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// webhookFlags say which webhook a command is about.
type webhookFlags struct {
	registryFlags
	name string
}

func (w *webhookFlags) define(f *flags) {
	f.StringVarP(&w.name, "name", "n", "", "name of the webhook")
	w.byRegistry(f)
	f.need("name")
}

// do carries out a request for the webhook, or for something below it.
func (w *webhookFlags) do(c *call, method, below string, body any) (object, error) {
	r, err := w.find(c)
	if err != nil {
		return nil, err
	}
	return w.doIn(c, r, method, below, body)
}

func (w *webhookFlags) doIn(c *call, r *registry, method, below string, body any) (object, error) {
	q := request{method: method, path: r.path + "/webhooks/" + escape(w.name) + below, version: registryVersion, body: body}
	if method == http.MethodGet || method == http.MethodPost {
		return r.api.do(c.ctx, q)
	}
	return r.operate(c.ctx, q, true)
}

// webhookSettings are what can be set of a webhook.
type webhookSettings struct {
	uri, scope, secret     string
	scopeGiven             func() bool
	actions, headers, tags args.List
	status                 args.Enum
}

func (s *webhookSettings) define(f *flags) {
	s.headers.Empty = true
	s.status.Choices = []string{"enabled", "disabled"}
	f.StringVar(&s.uri, "uri", "", "URL that is told")
	f.Var(&s.actions, "actions", "what it is told of: "+strings.Join(drydock.WebhookActions(), ", "))
	f.Var(&s.headers, "headers", "headers of the messages, as key[=value]; '' for none")
	f.StringVar(&s.scope, "scope", "", "images that count: 'foo:*' all tags of foo, 'foo:bar' one, 'foo' the tag latest, '' all")
	s.scopeGiven = func() bool { return f.Lookup("scope").Changed }
	f.Var(&s.status, "status", "whether the webhook is enabled")
	f.StringVar(&s.secret, "secret", "", "what messages are signed with (default for a new one: made by the server)")
	tagsFlag(f, &s.tags)
}

// body returns what the flags set of a webhook.
func (s *webhookSettings) body(c *call) (object, error) {
	var actions []any
	for _, action := range s.actions.Values {
		if action = strings.ToLower(action); !slices.Contains(drydock.WebhookActions(), action) {
			return nil, usageError(c.cmd, fmt.Errorf("argument --actions: %q is none of %s", action, strings.Join(drydock.WebhookActions(), ", ")))
		}
		actions = append(actions, action)
	}
	properties := with("serviceUri", s.uri, "actions", actions, "status", s.status.Value, "secret", s.secret)
	if s.scopeGiven() {
		properties["scope"] = s.scope
	}
	if s.headers.Given {
		headers := object{}
		for _, text := range s.headers.Values {
			key, value, _ := strings.Cut(text, "=")
			headers[key] = value
		}
		properties["customHeaders"] = headers
	}
	return with("properties", properties, "tags", tagsOf(s.tags)), nil
}

func webhookTable(item any) output.Row {
	actions, _ := at(item, "actions").([]any)
	names := []string{}
	for _, action := range actions {
		names = append(names, fmt.Sprint(action))
	}
	return output.Row{
		cell("NAME", item, "name"), cell("LOCATION", item, "location"),
		{Column: "ACTIONS", Value: shown(strings.Join(names, ", "))},
		cell("SCOPE", item, "scope"), cell("STATUS", item, "status"),
	}
}

func webhookCreate() command {
	var w webhookFlags
	var s webhookSettings
	var location string
	return command{
		use: "create", short: "Create a webhook", table: webhookTable,
		example: "  drydock acr webhook create -r contoso -n failures --uri https://chat.example/hook --actions run_failed\n" +
			"  drydock acr webhook create -r contoso -n pushes --uri https://ci.example/hook --actions push delete --scope 'hello:*' --headers 'Authorization=Basic …'",
		flags: func(f *flags) {
			w.define(f)
			s.define(f)
			f.StringVarP(&location, "location", "l", "", "location (default: that of the registry)")
			f.need("uri", "actions")
		},
		run: func(c *call) (any, error) {
			body, err := s.body(c)
			if err != nil {
				return nil, err
			}
			r, err := w.find(c)
			if err != nil {
				return nil, err
			}
			if body["location"] = location; location == "" {
				registry, err := r.get(c)
				if err != nil {
					return nil, err
				}
				body["location"] = registry["location"]
			}
			made, err := w.doIn(c, r, http.MethodPut, "", body)
			return flat(made), err
		},
	}
}

func webhookUpdate() command {
	var w webhookFlags
	var s webhookSettings
	return command{
		use: "update", short: "Change a webhook", table: webhookTable,
		flags: func(f *flags) {
			w.define(f)
			s.define(f)
		},
		run: func(c *call) (any, error) {
			body, err := s.body(c)
			if err != nil {
				return nil, err
			}
			changed, err := w.do(c, http.MethodPatch, "", body)
			return flat(changed), err
		},
	}
}

func webhookShow() command {
	var w webhookFlags
	return command{use: "show", short: "Show a webhook", table: webhookTable, flags: w.define, run: func(c *call) (any, error) {
		found, err := w.do(c, http.MethodGet, "", nil)
		return flat(found), err
	}}
}

func webhookList() command {
	var r registryFlags
	return command{use: "list", short: "List webhooks", table: webhookTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/webhooks", version: registryVersion}, 0)
		return flat(list), err
	}}
}

// webhookDelete asks nothing, as the Azure CLI does not.
func webhookDelete() command {
	var w webhookFlags
	return command{use: "delete", short: "Delete a webhook", flags: w.define, run: func(c *call) (any, error) {
		r, err := w.find(c)
		if err != nil {
			return nil, err
		}
		// The resource manager deletes what is not there without a word.
		if _, err := w.doIn(c, r, http.MethodGet, "", nil); err != nil && drydock.CodeOf(c.explain(err)) == drydock.NotFound {
			return nil, err
		}
		_, err = w.doIn(c, r, http.MethodDelete, "", nil)
		return nil, err
	}}
}
