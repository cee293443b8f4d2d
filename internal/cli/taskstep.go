package cli

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
)

// step returns the step of a new task.
func (d *taskDefinition) step(c *call) (object, error) {
	if d.command != "" && d.file != "" {
		return nil, usageError(c.cmd, fmt.Errorf("either --cmd COMMAND --context /dev/null or --file FILE --context URL, not both"))
	}
	if !d.hasSource() || d.file == "-" || d.command != "" {
		task, err := c.taskText(d.command, d.file, d.timeout)
		if err != nil {
			return nil, err
		}
		step := d.common(c, "EncodedTask")
		step["encodedTaskContent"] = base64.StdEncoding.EncodeToString(task)
		return step, nil
	}
	if d.file == "" {
		return nil, usageError(c.cmd, fmt.Errorf("the following arguments are required: --file/-f"))
	}
	if isTaskFile(d.file) {
		return d.fileStep(c), nil
	}
	step := d.dockerStep(c)
	step["isPushEnabled"], step["noCache"] = !d.noPush.Value, d.noCache.Value
	return step, nil
}

// common returns what steps of all kinds have.
func (d *taskDefinition) common(c *call, kind string) object {
	step := with("type", kind, "contextAccessToken", d.triggers.token)
	if d.hasSource() {
		step["contextPath"] = d.context
	}
	if kind != "Docker" {
		if values := append(c.namedValues(d.set, false), c.namedValues(d.secretSet, true)...); values != nil {
			step["values"] = values
		}
	}
	return step
}

func (d *taskDefinition) fileStep(c *call) object {
	step := d.common(c, "FileTask")
	for key, value := range with("taskFilePath", filepath.ToSlash(d.file), "valuesFilePath", filepath.ToSlash(d.values)) {
		step[key] = value
	}
	return step
}

func (d *taskDefinition) dockerStep(c *call) object {
	step := d.common(c, "Docker")
	for key, value := range with(
		"imageNames", d.images, "dockerFilePath", filepath.ToSlash(d.file), "target", d.target,
		"arguments", append(c.namedValues(d.args, false), c.namedValues(d.secretArgs, true)...),
	) {
		step[key] = value
	}
	return step
}
