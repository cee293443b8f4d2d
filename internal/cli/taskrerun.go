package cli

import (
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

func taskRerun() command {
	var r registryFlags
	var id string
	var w waitFlags
	return command{
		use: "rerun", short: "Run the task of a run once more", table: runTable,
		flags: func(f *flags) {
			runIDFlag(f, &id)
			r.byRegistry(f)
			w.define(f)
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			run, err := registry.run(c, id)
			if err != nil {
				return nil, err
			}
			task := text(run, "task")
			if task == "" {
				return nil, drydock.Errorf(drydock.Failed, "the run %s is of no task", id).WithHint("repeat the command that has started it: %s acr build or %[1]s acr run", c.Name)
			}
			return w.schedule(c, registry, object{"type": "TaskRunRequest", "taskId": registry.path + "/tasks/" + escape(task)}, "run")
		},
	}
}

func runIDFlag(f *flags, id *string) {
	f.StringVar(id, "run-id", "", "id of the run, as ca1")
	f.need("run-id")
}

// runCommand is one that does a single thing to a run.
func runCommand(use, short, method, path string, body func() object, define func(*flags)) command {
	var r registryFlags
	var id string
	return command{
		use: use, short: short, table: runTable,
		flags: func(f *flags) {
			runIDFlag(f, &id)
			r.byRegistry(f)
			if define != nil {
				define(f)
			}
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			q := request{method: method, path: registry.path + "/runs/" + escape(strings.ToLower(id)) + path, version: tasksVersion}
			if body != nil {
				q.body = body()
			}
			done, err := registry.operate(c.ctx, q, method != http.MethodGet)
			return flat(done), err
		},
	}
}
