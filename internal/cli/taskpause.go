package cli

import (
	"fmt"
	"net/http"
)

// holdFlags say what is held: a task, or all of a registry.
type holdFlags struct {
	registryFlags
	task string
	all  bool
}

func (h *holdFlags) define(f *flags) {
	f.StringVarP(&h.task, "name", "n", "", "name of the task")
	f.BoolVar(&h.all, "all", false, "all tasks of the registry; each keeps its own status")
	h.byRegistry(f)
}

func taskPause() command {
	return holdCommand("pause", "Hold back what would start runs by itself", "Disabled", "Paused", func(c *call, registry string) {
		c.say("Nothing starts runs of tasks in %s by itself now. What base images and branches change meanwhile runs after %s acr task resume --all -r %s; timers make up for nothing.",
			registry, c.Name, registry)
	})
}

func taskResume() command {
	return holdCommand("resume", "Let go on what was held back", "Enabled", "Enabled", nil)
}

// holdCommand sets the status of a task, or that of all triggers of a registry.
func holdCommand(use, short, status, triggers string, done func(c *call, registry string)) command {
	var h holdFlags
	return command{
		use: use, short: short, flags: h.define,
		example: fmt.Sprintf("  drydock acr task %s -r contoso --all\n  drydock acr task %s -r contoso -n hello", use, use),
		run: func(c *call) (any, error) {
			if h.all == (h.task != "") {
				return nil, usageError(c.cmd, fmt.Errorf("either --all or --name/-n is required"))
			}
			r, err := h.find(c)
			if err != nil {
				return nil, err
			}
			if h.task != "" {
				t := &task{r, h.task, r.path + "/tasks/" + escape(h.task)}
				changed, err := t.patch(c, object{"properties": object{"status": status}})
				return flat(changed), err
			}
			changed, err := r.operate(c.ctx, request{
				method: http.MethodPatch, path: r.path, version: registryVersion,
				body: object{"properties": object{"taskTriggers": object{"status": triggers}}},
			}, true)
			if err != nil {
				return nil, err
			}
			if done != nil {
				done(c, r.name)
			}
			return object{"id": text(changed, "id"), "name": text(changed, "name"), "taskTriggers": at(changed, "properties", "taskTriggers")}, nil
		},
	}
}
