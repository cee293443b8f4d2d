package cli

import (
	"errors"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func taskRerun() command {
	var r registryFlags
	var id string
	var w waitFlags
	return command{
		use: "rerun [RUN]", short: "Repeat a run: the same request, on the same source", args: cobra.MaximumNArgs(1), table: runTable,
		flags: func(f *flags) {
			f.StringVar(&id, "run-id", "", "id of the run, as ca1, instead of RUN")
			r.byRegistry(f)
			w.define(f)
		},
		run: func(c *call) (any, error) {
			if len(c.args) == 1 && id == "" {
				id = c.args[0]
			} else if len(c.args) == 1 || id == "" {
				return nil, usageError(c.cmd, errors.New("name one run, as RUN or with --run-id"))
			}
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			return w.queue(c, registry, request{
				method: http.MethodPost, path: registry.path + "/runs/" + escape(strings.ToLower(id)) + "/rerun", version: tasksVersion,
			}, "run")
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
