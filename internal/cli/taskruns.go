package cli

import (
	"fmt"
	"net/http"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
)

func taskShowRun() command {
	return runCommand("show-run", "Show a run", http.MethodGet, "", nil, nil)
}

func taskCancelRun() command {
	cancel := runCommand("cancel-run", "Cancel a run", http.MethodPost, "/cancel", nil, nil)
	do := cancel.run
	cancel.run = func(c *call) (any, error) {
		_, err := do(c)
		return nil, err
	}
	return cancel
}

func taskUpdateRun() command {
	var noArchive args.Bool
	body := func() object {
		if !noArchive.Given {
			return object{}
		}
		return object{"isArchiveEnabled": !noArchive.Value}
	}
	return runCommand("update-run", "Change whether a run is kept", http.MethodPatch, "", body, func(f *flags) {
		noArchive.Var(f.FlagSet, "no-archive", "whether the run is not kept for good")
	})
}

func taskLogs() command {
	var r registryFlags
	var id string
	var raw bool
	filter := runFilter{}
	return command{
		use: "logs", short: "Show the log of a run, the newest unless one is named",
		flags: func(f *flags) {
			r.byRegistry(f)
			f.StringVar(&id, "run-id", "", "id of the run, as ca1")
			f.StringVarP(&filter.task, "name", "n", "", "name of the task whose newest run is meant")
			f.StringVarP(&filter.image, "image", "t", "", "name of an image whose run is meant")
			f.BoolVar(&raw, "no-format", false, "show the log as it is, without colours")
		},
		run: func(c *call) (any, error) {
			registry, err := r.find(c)
			if err != nil {
				return nil, err
			}
			if id == "" {
				if id, err = registry.newest(c, filter); err != nil {
					return nil, err
				}
			}
			_, err = registry.showLog(c, id, raw, nil)
			return nil, err
		},
	}
}

// newest returns the id of the newest run.
func (r *registry) newest(c *call, filter runFilter) (string, error) {
	runs, err := r.runs(c, filter, 1)
	if err != nil {
		return "", err
	}
	of := ""
	if filter.task != "" {
		of += fmt.Sprintf(" for task '%s'", filter.task)
	}
	if filter.image != "" {
		of += fmt.Sprintf(" for image '%s'", filter.image)
	}
	id := text(runs, 0, "runId")
	if id == "" {
		return "", drydock.Errorf(drydock.NotFound, "there is no run%s", of)
	}
	c.say("Showing logs of the last created run%s.", of)
	c.say("Run ID: %s", id)
	return id, nil
}
