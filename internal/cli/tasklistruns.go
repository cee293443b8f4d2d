package cli

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
)

var runStatuses = []string{"Queued", "Started", "Running", "Succeeded", "Failed", "Canceled", "Error", "Timeout"}

// runFilter says which runs are meant.
type runFilter struct {
	task   string
	image  string
	status args.Enum
}

func taskListRuns() command {
	var r registryFlags
	var top int
	filter := runFilter{status: args.Enum{Choices: runStatuses}}
	return command{
		use: "list-runs", short: "List runs, newest first", table: runTable,
		flags: func(f *flags) {
			r.byRegistry(f)
			f.StringVarP(&filter.task, "name", "n", "", "name of the task")
			f.StringVarP(&filter.image, "image", "t", "", "name of an image that the run has made")
			f.Var(&filter.status, "run-status", "status of the run")
			f.IntVar(&top, "top", 15, "how many are listed")
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			list, err := registry.runs(c, filter, top)
			return list, err
		},
	}
}

// runs returns the newest runs of a registry.
func (r *registry) runs(c *call, filter runFilter, top int) (any, error) {
	query := url.Values{"$top": {strconv.Itoa(top)}}
	text, err := filter.odata(c, r)
	if err != nil {
		return nil, err
	}
	if text != "" {
		query.Set("$filter", text)
	}
	list, err := r.list(c.ctx, request{method: http.MethodGet, path: r.path + "/runs", version: tasksVersion, query: query}, top)
	return flat(list), err
}

// odata writes the filter as the server takes it.
func (f runFilter) odata(c *call, r *registry) (string, error) {
	var parts []string
	if f.task != "" {
		parts = append(parts, "TaskName eq "+quote(f.task))
	}
	if f.status.Value != "" {
		parts = append(parts, "Status eq "+quote(f.status.Value))
	}
	if f.image != "" {
		image, err := r.digestOf(c, f.image)
		if err != nil {
			return "", err
		}
		parts = append(parts, "contains(OutputImageManifests, "+quote(image)+")")
	}
	return strings.Join(parts, " and "), nil
}
