package cli

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/graph"
	"github.com/drydockhq/drydock/internal/cli/output"
)

func taskStale() command {
	var r registryFlags
	var run, noWait, check bool
	return command{
		use: "stale", short: "List the tasks whose images stand on an older base image", table: staleTable,
		example: "  drydock acr task stale -o table\n" +
			"  drydock acr task stale --check || notify\n" +
			"  drydock acr task stale -r contoso --run",
		flags: func(f *flags) {
			r.byRegistry(f)
			f.BoolVar(&run, "run", false, "run them, those that others are built from first; the exit status is that of the runs")
			f.BoolVar(&noWait, "no-wait", false, "with --run: only queue the runs that need not wait for others")
			f.BoolVar(&check, "check", false, "exit with status 1 if there are any")
		},
		run: func(c *call) (any, error) {
			list, err := r.stale(c)
			if err != nil {
				return nil, err
			}
			if run {
				a, err := c.api()
				if err != nil {
					return nil, err
				}
				return (&rebuild{c: c, api: a, flags: &r, noWait: noWait, done: map[string]bool{}}).all(list)
			}
			if check && len(list) > 0 {
				return staleDocs(list), drydock.Errorf(drydock.Failed, "%d of the tasks stand on an older base image", len(list)).
					WithHint("%s acr task stale --run runs them", c.Name)
			}
			return staleDocs(list), nil
		},
	}
}

// stale returns the tasks of which a base image has changed since their newest
// run.
func (r *registryFlags) stale(c *call) ([]graph.Task, error) {
	list, _, err := r.dependencies(c)
	if err != nil {
		return nil, err
	}
	tasks, err := graph.Read(list)
	return slices.DeleteFunc(tasks, func(t graph.Task) bool { return !t.Stale }), err
}

func staleDocs(tasks []graph.Task) []any {
	docs := []any{}
	for _, t := range tasks {
		images := []any{}
		for _, b := range t.BaseImages {
			if b.Stale {
				images = append(images, with("image", b.Image, "type", b.Type, "digest", b.Digest, "currentDigest", b.CurrentDigest, "note", b.Note))
			}
		}
		doc := with("id", t.ID, "name", t.Name, "registry", t.Registry, "status", t.Status, "images", images, "next", whatNext(t))
		doc["due"] = t.Due
		docs = append(docs, doc)
	}
	return docs
}

// whatNext says whether a task that is stale is run by itself.
func whatNext(t graph.Task) string {
	switch {
	case t.Status == "Disabled":
		return "the task is disabled"
	case t.Due && len(t.WaitsFor) > 0:
		return "waits: " + t.WaitsFor[0].Why
	case t.Due:
		return "it is run by itself"
	case t.StaleReason != "":
		return t.StaleReason
	}
	for _, b := range t.BaseImages {
		if b.Stale && b.Note != "" {
			return b.Note
		}
	}
	return ""
}

func staleTable(item any) output.Row {
	if text(item, "runId") != "" {
		return output.Row{cell("TASK", item, "task"), cell("REGISTRY", item, "registry"), cell("RUN ID", item, "runId"), cell("STATUS", item, "status")}
	}
	var names, stands, now []string
	images, _ := at(item, "images").([]any)
	for _, image := range images {
		names = append(names, text(image, "image"))
		stands = append(stands, graph.Short(text(image, "digest")))
		now = append(now, graph.Short(text(image, "currentDigest")))
	}
	joined := func(column string, texts []string) output.Cell {
		return output.Cell{Column: column, Value: shown(strings.Join(texts, ", "))}
	}
	return output.Row{
		cell("TASK", item, "name"), cell("REGISTRY", item, "registry"), joined("BASE IMAGE", names), joined("STANDS ON", stands), joined("NOW", now),
		cell("NEXT", item, "next"),
	}
}
