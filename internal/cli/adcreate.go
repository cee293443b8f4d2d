package cli

import (
	"net/http"
)

func appCreate() command {
	var name string
	return command{
		use: "create", short: "Register an application, or show the one of that name", table: directoryTable,
		flags: func(f *flags) {
			f.StringVar(&name, "display-name", "", "name of the application")
			f.need("display-name")
		},
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			app, _, err := g.application(c, name)
			return app, err
		},
	}
}

// application returns the application of a name, which it registers if there is
// none, and says whether there was.
func (a *api) application(c *call, name string) (app object, there bool, err error) {
	found, err := a.search(c, applications, "displayName eq "+quote(name))
	if err != nil {
		return nil, false, err
	}
	switch len(found) {
	case 0:
		app, err = a.do(c.ctx, request{method: http.MethodPost, path: a.base + applications.path, body: object{"displayName": name}})
		return app, false, err
	case 1:
		app, _ = found[0].(object)
		c.say("There is an application %q already: %s", name, text(app, "appId"))
		return app, true, nil
	}
	return nil, true, ambiguous(applications, name, found)
}

func spCreate() command {
	var id string
	return command{
		use: "create", short: "Make the service principal of an application", table: directoryTable,
		flags: func(f *flags) { idFlag(f, applications, &id) },
		run: func(c *call) (any, error) {
			g, err := c.graph()
			if err != nil {
				return nil, err
			}
			app, err := g.find(c, applications, id)
			if err != nil {
				return nil, err
			}
			return g.instate(c, app)
		},
	}
}

// instate makes the service principal of an application.
func (a *api) instate(c *call, app object) (object, error) {
	return a.do(c.ctx, request{
		method: http.MethodPost, path: a.base + servicePrincipals.path, body: object{"appId": text(app, "appId"), "accountEnabled": true},
	})
}
