package serve_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// A step of a run reaches what was deployed: here it asks for nothing in particular.
func TestRunReachesTheGroup(t *testing.T) {
	t.Parallel()
	_, i, image := instances(t, serve.Options{Args: []string{hub(t)}})
	address := i.MustCreate("page", i.Definition(image))
	a := i.Azure
	source := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- cmd: busybox sh -c 'echo | timeout 5 nc "+address+" 80'\n")
	if text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(source))); end != "successful" || !strings.Contains(text, "400 Bad Request") {
		t.Errorf("%s: %s", end, text)
	}
}
