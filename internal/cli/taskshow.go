package cli

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

func taskShow() command {
	var t taskFlags
	var secrets bool
	return command{
		use: "show", short: "Show a task", table: taskTable,
		flags: func(f *flags) {
			t.define(f)
			f.BoolVar(&secrets, "with-secure-properties", false, "with its secrets")
		},
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			get := task.get
			if secrets {
				get = task.details
			}
			shown, err := get(c)
			return flat(shown), err
		},
	}
}

func taskList() command {
	var r registryFlags
	return command{use: "list", short: "List tasks", table: taskTable, flags: r.byRegistry, run: func(c *call) (any, error) {
		registry, err := r.find(c)
		if err != nil {
			return nil, err
		}
		list, err := registry.list(c.ctx, request{path: registry.path + "/tasks", version: tasksVersion}, 0)
		return flat(list), err
	}}
}

func taskDelete() command {
	var t taskFlags
	var yes bool
	return command{
		use: "delete", short: "Delete a task",
		flags: func(f *flags) {
			t.define(f)
			yesFlag(f, &yes)
		},
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			// The resource manager deletes what is not there without a word.
			if _, err := task.get(c); err != nil && drydock.CodeOf(c.explain(err)) == drydock.NotFound {
				return nil, err
			}
			if err := c.confirm(yes, "Delete the task %q of the registry %q?", task.name, task.registry.name); err != nil {
				return nil, err
			}
			_, err = task.operate(c.ctx, request{method: http.MethodDelete, path: task.path, version: tasksVersion}, true)
			return nil, err
		},
	}
}
