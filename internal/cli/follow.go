package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// follow waits for a run and shows its log. The error is that of the run.
func (w *waitFlags) follow(c *call, r *registry, id string) (any, error) {
	if w.noLogs {
		run, err := r.waitFor(c, id)
		if err != nil {
			return nil, c.stillRunning(r, id, err)
		}
		return run, w.runError(run)
	}
	end, err := r.showLog(c, id, w.noFormat, w.names)
	if err != nil {
		return nil, c.stillRunning(r, id, err)
	}
	if end == "" {
		return nil, nil
	}
	run, err := r.waitFor(c, id)
	if err != nil {
		return nil, c.stillRunning(r, id, err)
	}
	c.summarize(run)
	return nil, w.runError(run)
}

// stillRunning tells who stops waiting how to go on.
func (c *call) stillRunning(r *registry, id string, err error) error {
	if c.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		c.say("\nThe run %s goes on. Its log: %[2]s acr task logs -r %[3]s --run-id %[1]s. To stop it: %[2]s acr task cancel-run -r %[3]s --run-id %[1]s", id, c.Name, r.name)
	}
	var lost *url.Error
	if c.ctx.Err() == nil && errors.As(err, &lost) {
		return drydock.Errorf(drydock.Unavailable, "the server was lost while following the run %s: %w", id, err).
			WithHint("the run goes on, or goes back to the queue; when the server is there again: %s acr task logs -r %s --run-id %s", c.Name, r.name, id)
	}
	return err
}

// run returns a run.
func (r *registry) run(c *call, id string) (object, error) {
	run, err := r.do(c.ctx, request{method: http.MethodGet, path: r.path + "/runs/" + escape(id), version: tasksVersion})
	flat(run)
	return run, err
}

// The times between questions after a run.
const (
	shortestWait = 200 * time.Millisecond
	longestWait  = 5 * time.Second
)

// waitFor asks for a run until it has ended.
func (r *registry) waitFor(c *call, id string) (object, error) {
	for pause := shortestWait; ; pause = min(pause*3/2, longestWait) {
		run, err := r.run(c, id)
		if err != nil || hasEnded(text(run, "status")) {
			return run, err
		}
		if err := c.Sleep(c.ctx, pause); err != nil {
			return nil, err
		}
	}
}

func hasEnded(status string) bool {
	switch status {
	case "Succeeded", "Failed", "Canceled", "Error", "Timeout":
		return true
	}
	return false
}

// runError returns the error of a run that did not succeed.
func (w *waitFlags) runError(run object) error {
	id, why := text(run, "runId"), ""
	if message := text(run, "runErrorMessage"); message != "" {
		if w.names != nil {
			message = w.names.Replace(message)
		}
		why = ": " + strings.TrimSuffix(strings.TrimSpace(message), ".")
	}
	switch text(run, "status") {
	case "Succeeded":
		return nil
	case "Canceled":
		return drydock.Errorf(drydock.Failed, "Run %s was canceled%s", id, why)
	case "Timeout":
		return drydock.Errorf(drydock.Failed, "Run %s timed out%s", id, why).WithHint("give it more time with --timeout")
	}
	return drydock.Errorf(drydock.Failed, "Run %s failed%s", id, why)
}

// summarize says how long a run took and what it has pushed.
func (c *call) summarize(run object) {
	if text(run, "status") != "Succeeded" {
		return
	}
	took := ""
	if d := duration(text(run, "startTime"), text(run, "finishTime")); d != "" {
		took = " after " + d
	}
	line := fmt.Sprintf("Run %s succeeded%s", text(run, "runId"), took)
	if c.colors(c.Stderr) {
		line = "\x1b[32m" + line + "\x1b[0m"
	}
	c.say("%s", line)
	images, _ := run["outputImages"].([]any)
	for _, image := range images {
		c.say("  %s", imageText(image))
	}
}

func imageText(image any) string {
	name := text(image, "repository")
	if registry := text(image, "registry"); registry != "" {
		name = registry + "/" + name
	}
	if tag := text(image, "tag"); tag != "" {
		name += ":" + tag
	}
	return strings.TrimSuffix(name+"@"+text(image, "digest"), "@")
}
