package arm

import (
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
