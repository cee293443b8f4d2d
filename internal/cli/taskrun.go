package cli

import "encoding/base64"

func taskRun() command {
	var t taskFlags
	var d taskDefinition
	var w waitFlags
	var updateToken string
	return command{
		use: "run", short: "Run a task", table: runTable,
		example: "  drydock acr task run -r contoso -n hello --set version=2",
		flags: func(f *flags) {
			t.define(f)
			f.StringVarP(&d.context, "context", "c", "", "another source for this run: a folder, or an address")
			f.StringVarP(&d.file, "file", "f", "", "another file for this run")
			f.StringArrayVar(&d.args, "arg", nil, "build argument NAME[=VALUE]; may be given several times")
			f.StringArrayVar(&d.secretArgs, "secret-arg", nil, "secret build argument NAME[=VALUE]; may be given several times")
			f.StringArrayVar(&d.set, "set", nil, "value NAME[=VALUE]; may be given several times")
			f.StringArrayVar(&d.secretSet, "set-secret", nil, "secret value NAME[=VALUE]; may be given several times")
			f.StringVar(&d.target, "target", "", "the stage to build")
			f.StringVar(&updateToken, "update-trigger-token", "", "what the endpoint of base image updates is sent")
			f.StringVar(&d.pool, "agent-pool", "", "agent pool that carries the run out")
			f.StringVar(&d.logTemplate, "log-template", "", "repository and tag for the log as an artifact")
			w.define(f)
		},
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			override, err := d.override(c, task)
			if err != nil {
				return nil, err
			}
			if updateToken != "" {
				override["updateTriggerToken"] = base64.StdEncoding.EncodeToString([]byte(updateToken))
			}
			return w.schedule(c, task.registry, with(
				"type", "TaskRunRequest", "taskId", task.path, "overrideTaskStepProperties", override,
				"agentPoolName", d.pool, "logTemplate", d.logTemplate,
			), "run")
		},
	}
}

// override returns what of a task's step is different in one run. A folder is
// uploaded.
func (d *taskDefinition) override(c *call, t *task) (object, error) {
	if d.context != "" {
		// The Dockerfile keeps its place in the source: the task names it.
		src, err := c.source(d.context, "", false)
		if err != nil {
			return nil, err
		}
		location, err := src.send(c, t.registry)
		if err != nil {
			return nil, err
		}
		d.context, _ = location.(string)
	}
	return with(
		"contextPath", d.context, "file", d.file, "target", d.target,
		"arguments", append(c.namedValues(d.args, false), c.namedValues(d.secretArgs, true)...),
		"values", append(c.namedValues(d.set, false), c.namedValues(d.secretSet, true)...),
	), nil
}
