package cli

import (
	"fmt"

	"github.com/drydockhq/drydock/internal/cli/graph"
)

func taskGraph() command {
	var r registryFlags
	return command{
		use: "graph", short: "Show what tasks are built from, what they push, and what starts them",
		example: "  drydock acr task graph\n" +
			"  drydock acr task graph -r contoso -o svg > tasks.svg",
		flags: func(f *flags) {
			r.byRegistry(f)
			textFormat(f, "dot", "svg")
		},
		run: func(c *call) (any, error) {
			list, title, err := r.dependencies(c)
			if err != nil {
				return nil, err
			}
			format := c.format()
			if c.global.query != "" {
				format = ""
			}
			draw := map[string]func(*graph.Graph) error{
				textOutput: func(g *graph.Graph) error { return graph.WriteTree(c.Stdout, g, c.paint()) },
				"dot":      func(g *graph.Graph) error { return graph.WriteDOT(c.Stdout, g) },
				"svg":      func(g *graph.Graph) error { return graph.WriteSVG(c.Stdout, g, title) },
			}[format]
			if draw == nil {
				return list, nil
			}
			tasks, err := graph.Read(list)
			if err != nil {
				return nil, err
			}
			if len(tasks) == 0 {
				c.say("There are no tasks.")
			}
			return nil, draw(graph.New(tasks))
		},
	}
}

// dependencies returns what is known of the tasks of the registry that the flags
// name, or of all that may be seen, and what they are the tasks of.
func (r *registryFlags) dependencies(c *call) ([]any, string, error) {
	a, err := c.api()
	if err != nil {
		return nil, "", err
	}
	path, title := a.base+"/providers/Microsoft.ContainerRegistry", "Tasks of "+a.session.subscription.Name
	if r.registry != "" || r.group != "" || a.session.profile.Defaults["acr"] != "" {
		registry, err := r.find(c)
		if err != nil {
			return nil, "", err
		}
		path, title = registry.path, "Tasks of "+registry.name
	}
	list, err := a.list(c.ctx, request{path: path + "/taskDependencies", version: tasksVersion}, 0)
	return list, title, err
}

// paint returns what gives states their colours on a terminal, nil for none.
func (c *call) paint() graph.Paint {
	if !c.colors(c.Stdout) {
		return nil
	}
	codes := map[graph.State]string{
		graph.Current: "32", graph.Due: "33", graph.Waiting: "33", graph.Stale: "31", graph.Unarmed: "2", graph.Disabled: "2",
	}
	return func(s graph.State, text string) string { return fmt.Sprintf("\x1b[%sm%s\x1b[0m", codes[s], text) }
}
