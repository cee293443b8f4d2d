package engine

import (
	"strings"

	"github.com/drydockhq/drydock"
)

// describe logs what the run would carry out, in the order of the task.
func (r *run) describe() {
	for i := range r.jobs {
		j, log := &r.jobs[i], r.engine.Log
		log.Printf("[DRY RUN] Step ID: %s. After: %s. Timeout(sec): %d, Working directory: '%s', Network: '%s'",
			j.ID, after(j.When), int(j.Timeout.Seconds()), j.WorkingDirectory, j.Network)
		switch j.Kind() {
		case drydock.BuildStep:
			log.Printf("[DRY RUN] build: %s", j.Build)
			for _, warning := range j.flags.Warnings {
				log.Printf("WARNING: %s", warning)
			}
		case drydock.PushStep:
			for _, image := range j.Push {
				log.Printf("[DRY RUN] push: %s", image)
			}
		case drydock.CmdStep:
			log.Printf("[DRY RUN] cmd: %s", j.Cmd)
		}
	}
}

func after(when []string) string {
	if len(when) == 0 {
		return "the start"
	}
	return strings.Join(when, ", ")
}
