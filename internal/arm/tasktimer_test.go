package arm_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestSchedulesAreChecked(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.task(t)
	timers := func(method string, timers string) (code, message, target string) {
		t.Helper()
		body := fmt.Sprintf(`{"properties":{"trigger":{"timerTriggers":[%s]}}}`, timers)
		if method == http.MethodPut {
			body = strings.Replace(taskBody, `{"name":"t1","schedule":"0 21 * * *"}`, timers, 1)
		}
		a := s.Do(t, s.token, method, id.String(), body)
		target, _ = a.At("error.target").(string)
		return a.Code(), a.Message(), target
	}
	for _, c := range []struct{ method, timers, code, message, target string }{
		{http.MethodPut, `{"name":"a","schedule":"0 0 30 Feb *"}`, "InvalidTimerTrigger", "The timer 'a' can't be due: the schedule \"0 0 30 Feb *\" is invalid: none of its months has such a day.", "properties.trigger.timerTriggers[0].schedule"},
		{http.MethodPut, `{"name":"a","schedule":"0 0 * * *"},{"name":"a","schedule":"0 1 * * *"}`, "InvalidTimerTrigger", "Two timers have the name 'a'.", "properties.trigger.timerTriggers[1].name"},
		{http.MethodPatch, `{"name":"b","schedule":"* * * * * *"}`, "InvalidTimerTrigger", "The timer 'b' can't be due: the schedule \"* * * * * *\" is invalid: it has 6 fields, not the five minute, hour, day of month, month and day of week.", "properties.trigger.timerTriggers[1].schedule"},
		{http.MethodPatch, `{"name":"b","schedule":"*/5 8-18 * Jan-Nov Mon-Fri"}`, "", "", ""},
		{http.MethodPut, `{"name":"a","schedule":"0 0 29 2 *"}`, "", "", ""},
	} {
		code, message, target := timers(c.method, c.timers)
		if code != c.code || target != c.target || message != c.message {
			t.Errorf("%s %s: %s %q about %s", c.method, c.timers, code, message, target)
		}
	}
}
