package cli

import (
	"slices"
	"strings"
)

func taskUpdate() command {
	var t taskFlags
	var d taskDefinition
	return command{
		use: "update", short: "Change a task", table: taskTable,
		example: "  drydock acr task update -r contoso -n hello --status Disabled",
		flags: func(f *flags) {
			t.define(f)
			d.define(f)
		},
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			now, err := task.get(c)
			if err != nil {
				return nil, err
			}
			properties, err := d.update(c, now)
			if err != nil {
				return nil, err
			}
			body := object{"properties": properties}
			if more := d.auth.assign(now["identity"]); more != nil {
				body["identity"] = more
			}
			changed, err := task.patch(c, body)
			return flat(changed), err
		},
	}
}

// update returns the changes of a task: what was not given stays.
func (d *taskDefinition) update(c *call, now object) (object, error) {
	properties, err := d.properties(c)
	if err != nil {
		return nil, err
	}
	if step := d.updateStep(c, text(now, "properties", "step", "type")); len(step) > 1 {
		properties["step"] = step
	}
	trigger := object{}
	context, source := d.context, at(now, "properties", "trigger", "sourceTriggers", 0)
	if source == nil && context == "" {
		context = text(now, "properties", "step", "contextPath")
	}
	if source := d.triggers.updateSource(source, context); source != nil {
		trigger["sourceTriggers"] = []any{source}
	}
	if base := d.triggers.updateBase(at(now, "properties", "trigger", "baseImageTrigger")); base != nil {
		trigger["baseImageTrigger"] = base
	}
	if len(trigger) > 0 {
		properties["trigger"] = trigger
	}
	return properties, nil
}

// updateStep returns the changes of a step. A file of another kind makes it a
// step of that.
func (d *taskDefinition) updateStep(c *call, kind string) object {
	switch {
	case d.file != "" && isTaskFile(d.file):
		kind = "FileTask"
	case d.file != "" && d.file != "-":
		kind = "Docker"
	}
	switch kind {
	case "FileTask":
		return d.fileStep(c)
	case "Docker":
		step := d.dockerStep(c)
		if d.noPush.Given {
			step["isPushEnabled"] = !d.noPush.Value
		}
		if d.noCache.Given {
			step["noCache"] = d.noCache.Value
		}
		return step
	}
	return d.common(c, kind)
}

// updateSource returns the changes of the source trigger, nil for none.
func (t *triggerFlags) updateSource(now any, context string) object {
	if now == nil && !t.commit.Given && !t.pull.Given || !t.changesSource() && context == "" && t.token == "" {
		return nil
	}
	var events []string
	if !strings.EqualFold(text(now, "status"), "disabled") {
		list, _ := at(now, "sourceTriggerEvents").([]any)
		for _, event := range list {
			if name, ok := event.(string); ok {
				events = append(events, name)
			}
		}
	}
	if t.commit.Given {
		events = changed(events, "commit", t.commit.Value)
	}
	if t.pull.Given {
		events = changed(events, "pullrequest", t.pull.Value)
	}
	name := text(now, "name")
	if name == "" {
		name = sourceTriggerName
	}
	o := object{"name": name, "sourceTriggerEvents": events, "status": word(len(events) > 0, "Enabled", "Disabled")}
	repository := object{}
	if context != "" {
		repository = with("sourceControlType", controlType(context), "repositoryUrl", context, "branch", branchOf(context))
	}
	if t.branch != "" {
		repository["branch"] = t.branch
	}
	if t.token != "" {
		repository["sourceControlAuthProperties"] = object{"token": t.token, "tokenType": "PAT"}
	}
	if len(repository) > 0 {
		o["sourceRepository"] = repository
	}
	t.overSource(o)
	return o
}

// changed returns a list with a name in it, or without.
func changed(list []string, name string, in bool) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return strings.EqualFold(s, name) })
	if in {
		list = append(list, name)
	}
	return list
}

// updateBase returns the changes of the base image trigger, nil for none.
func (t *triggerFlags) updateBase(now any) object {
	o := object{}
	t.overBase(o)
	if t.base.Given {
		o["status"] = word(t.base.Value, "Enabled", "Disabled")
	}
	if len(o) == 0 {
		return nil
	}
	if o["name"] = text(now, "name"); o["name"] == "" {
		o["name"] = baseImageTriggerName
	}
	if now == nil && o["baseImageTriggerType"] == nil {
		o["baseImageTriggerType"] = "Runtime"
	}
	return o
}
