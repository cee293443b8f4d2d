package cli

import (
	"net/http"

	"github.com/drydockhq/drydock/internal/cli/output"
)

func taskHookShow() command {
	return taskHook("show", "Show where registries elsewhere tell of pushes, and the secret for that", "/listTriggerHook")
}

func taskHookRenew() command {
	return taskHook("renew", "Replace the secret with which registries elsewhere tell of pushes", "/regenerateTriggerHook")
}

// taskHook is a command whose answer is the hook of a registry.
func taskHook(use, short, action string) command {
	var r registryFlags
	return command{
		use: use, short: short, table: hookTable, flags: r.byRegistry,
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			return registry.do(c.ctx, request{method: http.MethodPost, path: registry.path + action, version: tasksVersion})
		},
	}
}

func hookTable(item any) output.Row {
	return output.Row{cell("URL", item, "url"), cell("SECRET", item, "secret")}
}
