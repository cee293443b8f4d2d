package cli

import (
	"net/http"
	"slices"
	"strings"
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
