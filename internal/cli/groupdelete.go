package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

func groupExists() command {
	var g groupFlags
	return command{use: "exists", short: "Ask whether a resource group exists", flags: g.define, run: func(c *call) (any, error) {
		a, r, err := g.request(c, http.MethodGet, nil)
		if err != nil {
			return nil, err
		}
		_, err = a.do(c.ctx, r)
		if err != nil && drydock.CodeOf(c.explain(err)) == drydock.NotFound {
			return false, nil
		}
		return err == nil, err
	}}
}

func groupDelete() command {
	var g groupFlags
	var yes, noWait bool
	return command{
		use: "delete", short: "Delete a resource group with all that is in it",
		flags: func(f *flags) {
			g.define(f)
			yesFlag(f, &yes)
			noWaitFlag(f, &noWait)
		},
		run: func(c *call) (any, error) {
			a, r, err := g.request(c, http.MethodDelete, nil)
			if err != nil {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the resource group %q with all that is in it?", g.name); err != nil {
				return nil, err
			}
			_, err = a.operate(c.ctx, r, !noWait)
			return nil, err
		},
	}
}

func noWaitFlag(f *flags, noWait *bool) {
	f.BoolVar(noWait, "no-wait", false, "do not wait until it is done")
}
