package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

// taskrunFlags say which task run a command is about.
type taskrunFlags struct {
	registryFlags
	name string
}

func (t *taskrunFlags) define(f *flags) {
	f.StringVarP(&t.name, "name", "n", "", "name of the task run")
	t.byRegistry(f)
	f.need("name")
}

func (t *taskrunFlags) request(c *call, method string) (*registry, request, error) {
	r, err := t.find(c)
	if err != nil {
		return nil, request{}, err
	}
	return r, request{method: method, path: r.path + "/taskRuns/" + escape(t.name), version: tasksVersion}, nil
}

func taskrunList() command {
	var r registryFlags
	return command{use: "list", short: "List task runs", table: taskrunTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/taskRuns", version: tasksVersion}, 0)
		return flat(list), err
	}}
}

func taskrunShow() command {
	var t taskrunFlags
	return command{use: "show", short: "Show a task run", table: taskrunTable, flags: t.define, run: func(c *call) (any, error) {
		registry, q, err := t.request(c, http.MethodGet)
		if err != nil {
			return nil, err
		}
		shown, err := registry.do(c.ctx, q)
		return flat(shown), err
	}}
}

func taskrunDelete() command {
	var t taskrunFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a task run",
		flags: func(f *flags) {
			t.define(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			registry, q, err := t.request(c, http.MethodDelete)
			if err != nil {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the task run %q of the registry %q?", t.name, registry.name); err != nil {
				return nil, err
			}
			_, err = registry.operate(c.ctx, q, true)
			return nil, err
		},
	}
}

func taskrunLogs() command {
	var t taskrunFlags
	var raw bool
	return command{
		use: "logs", short: "Show the log of a task run",
		flags: func(f *flags) {
			t.define(f)
			f.BoolVar(&raw, "no-format", false, "show the log as it is, without colours")
		},
		run: func(c *call) (any, error) {
			registry, q, err := t.request(c, http.MethodGet)
			if err != nil {
				return nil, err
			}
			shown, err := registry.do(c.ctx, q)
			if err != nil {
				return nil, err
			}
			id := text(flat(shown), "runResult", "runId")
			if id == "" {
				return nil, drydock.Errorf(drydock.NotFound, "the task run %q has no run", t.name)
			}
			_, err = registry.showLog(c, id, raw, nil)
			return nil, err
		},
	}
}
