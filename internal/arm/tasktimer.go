package arm

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

// checkTimers checks the timers of a task: their schedules, and that their names
// tell them apart.
func checkTimers(doc object) error {
	seen := map[string]bool{}
	for i, e := range list(doc, "properties.trigger.timerTriggers") {
		timer, _ := e.(object)
		name := text(timer, "name")
		where := fmt.Sprintf("properties.trigger.timerTriggers[%d].", i)
		if seen[name] {
			return badRequest("InvalidTimerTrigger", "Two timers have the name '%s'.", shorten(name)).about(where + "name")
		}
		seen[name] = true
		if _, err := trigger.ParseSchedule(text(timer, "schedule")); err != nil {
			var wrong *drydock.Error
			if !errors.As(err, &wrong) {
				return err
			}
			return badRequest("InvalidTimerTrigger", "The timer '%s' can't be due: %s.", shorten(name), wrong.Message).about(where + "schedule")
		}
	}
	return nil
}

// TimedTasks returns the tasks of a registry that have timers.
func (s *Server) TimedTasks(ctx context.Context, registry drydock.ResourceID) ([]drydock.ResourceID, error) {
	tasks, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: registry, Type: taskType})
	if err != nil {
		return nil, err
	}
	var timed []drydock.ResourceID
	for _, t := range tasks {
		if bytes.Contains(t.Body, []byte(`"timerTriggers"`)) {
			timed = append(timed, t.ID)
		}
	}
	return timed, nil
}
