package cli

import (
	"net/http"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// taskFlags say which task a command is about.
type taskFlags struct {
	registryFlags
	task string
}

func (t *taskFlags) define(f *flags) {
	f.StringVarP(&t.task, "name", "n", "", "name of the task")
	t.byRegistry(f)
	f.need("name")
}

// task is a task of a registry.
type task struct {
	*registry
	name string
	path string
}

func (t *taskFlags) find(c *call) (*task, error) {
	r, err := t.registryFlags.find(c)
	if err != nil {
		return nil, err
	}
	return &task{r, t.task, r.path + "/tasks/" + escape(t.task)}, nil
}

func (t *task) get(c *call) (object, error) {
	return t.do(c.ctx, request{method: http.MethodGet, path: t.path, version: tasksVersion})
}

// details returns the task with its secrets.
func (t *task) details(c *call) (object, error) {
	return t.do(c.ctx, request{method: http.MethodPost, path: t.path + "/listDetails", version: tasksVersion})
}

// patch changes a task and returns it.
func (t *task) patch(c *call, body object) (object, error) {
	return t.operate(c.ctx, request{method: http.MethodPatch, path: t.path, version: tasksVersion, body: body}, true)
}

// put replaces a task and returns it.
func (t *task) put(c *call, body object) (object, error) {
	return t.operate(c.ctx, request{method: http.MethodPut, path: t.path, version: tasksVersion, body: body}, true)
}

// taskFiles are the ends of names of task files; everything else is a
// Dockerfile.
var taskFiles = []string{
	".yaml", ".yml", ".toml", ".json", ".sh", ".bash", ".zsh", ".ps1", ".ps", ".cmd", ".bat", ".ts", ".js", ".php", ".py", ".rb", ".lua",
}

func isTaskFile(name string) bool {
	return slices.ContainsFunc(taskFiles, func(end string) bool { return strings.HasSuffix(name, end) })
}

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
