package cli

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock"
)

// waitFlags say what is done while a run goes on.
type waitFlags struct {
	noWait, noLogs, noFormat bool

	names *strings.Replacer // of files, as the log has them, by those that the user knows
}

func (w *waitFlags) define(f *flags) {
	noWaitFlag(f, &w.noWait)
	f.BoolVar(&w.noLogs, "no-logs", false, "wait, but do not show the log")
	f.BoolVar(&w.noFormat, "no-format", false, "show the log as it is, without colours")
}

// runFlags are those of quick runs.
type runFlags struct {
	wait        waitFlags
	platform    string
	timeout     int
	pool        string
	logTemplate string
	runRegistry string
	auth        sourceAuth
}

func (r *runFlags) define(f *flags) {
	f.StringVar(&r.platform, "platform", "", "OS[/ARCHITECTURE[/VARIANT]], as linux/arm64")
	f.IntVar(&r.timeout, "timeout", 0, "seconds after which the run ends as timed out (default 3600)")
	f.StringVar(&r.pool, "agent-pool", "", "agent pool that carries the run out")
	f.StringVar(&r.logTemplate, "log-template", "", "repository and tag for the log as an artifact")
	f.StringVar(&r.runRegistry, "run-registry", "", "registry, with a path if any, that images are pushed to instead, as ghcr.io/acme")
	r.auth.define(f, "the run", callerIdentity)
	r.wait.define(f)
}

// body returns what all requests for runs have.
func (r *runFlags) body(c *call, kind string) (object, error) {
	platform, err := platformOf(r.platform)
	if err != nil {
		return nil, usageError(c.cmd, err)
	}
	if platform == nil {
		platform = object{"os": "linux"}
	}
	credentials, err := r.auth.ofCaller()
	if err != nil {
		return nil, usageError(c.cmd, err)
	}
	return with(
		"type", kind, "platform", platform, "timeout", r.timeout, "agentPoolName", r.pool, "logTemplate", r.logTemplate,
		"runRegistry", r.runRegistry, "credentials", credentials,
	), nil
}

// platformOf reads OS[/ARCHITECTURE[/VARIANT]]; nil is none.
func platformOf(text string) (object, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(strings.ToLower(text), "/")
	if len(parts) > 3 || (parts[0] != "linux" && parts[0] != "windows") {
		return nil, fmt.Errorf("argument --platform: %q is not of the form linux/arm64", text)
	}
	parts = append(parts, "", "")
	return with("os", parts[0], "architecture", parts[1], "variant", parts[2]), nil
}

// schedule queues a run and follows it.
func (r *runFlags) schedule(c *call, registry *registry, body object, what string) (any, error) {
	return r.wait.schedule(c, registry, body, what)
}

func (w *waitFlags) schedule(c *call, registry *registry, body object, what string) (any, error) {
	return w.queue(c, registry, request{
		method: http.MethodPost, path: registry.path + "/scheduleRun", version: tasksVersion, body: body,
	}, what)
}

// queue sends a request that queues a run, and follows the run.
func (w *waitFlags) queue(c *call, registry *registry, q request, what string) (any, error) {
	run, err := registry.operate(c.ctx, q, false)
	if err != nil {
		return nil, err
	}
	flat(run)
	id := text(run, "runId")
	if id == "" {
		return nil, drydock.Errorf(drydock.Failed, "the server did not say which run it has queued")
	}
	c.say("Queued a %s with ID: %s", what, id)
	if w.noWait {
		return run, nil
	}
	c.say("Waiting for an agent...")
	return w.follow(c, registry, id)
}
