package cli

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// runID is what follows the name of a registry in the id of a run.
var runID = regexp.MustCompile(`(?i)^(/subscriptions/.*/registries/[^/]+)/runs/([^/]+)$`)

func taskWhy() command {
	var r registryFlags
	var id string
	return command{
		use: "why", short: "Explain why a run ran: what happened, the digests before and after, the runs that led to it",
		example: "  drydock acr task why ca12 -r contoso\n" +
			"  drydock acr task why ca12 -r contoso -o json --query 'chain[].[registry, runId, task, trigger]'",
		args: cobra.MaximumNArgs(1),
		flags: func(f *flags) {
			r.byRegistry(f)
			f.StringVar(&id, "run-id", "", "id of the run, if it is not the argument")
			textFormat(f)
		},
		run: func(c *call) (any, error) {
			if len(c.args) > 0 {
				id = c.args[0]
			}
			if id == "" {
				return nil, usageError(c.cmd, fmt.Errorf("the following arguments are required: RUN"))
			}
			path, err := r.runPath(c, id)
			if err != nil {
				return nil, err
			}
			a, err := c.api()
			if err != nil {
				return nil, err
			}
			why, err := a.do(c.ctx, request{method: http.MethodGet, path: path + "/cause", version: tasksVersion})
			if err != nil || !c.isText() {
				delete(why, "explanation")
				return why, err
			}
			lines, _ := why["explanation"].([]any)
			for _, line := range lines {
				fmt.Fprintln(c.Stdout, line)
			}
			return nil, nil
		},
	}
}

// runPath returns the path of a run, which is named by its short id or by the
// whole one.
func (r *registryFlags) runPath(c *call, id string) (string, error) {
	if m := runID.FindStringSubmatch(id); m != nil {
		return m[1] + "/runs/" + escape(m[2]), nil
	}
	registry, err := r.find(c)
	if err != nil {
		return "", err
	}
	return registry.path + "/runs/" + escape(strings.TrimSpace(id)), nil
}
