package cli

import (
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
)

func taskCreate() command {
	var t taskFlags
	var d taskDefinition
	var identity args.List
	var system bool
	return command{
		use: "create", short: "Create a task", table: taskTable,
		example: "  drydock acr task create -r contoso -n hello -f acr-task.yaml -c https://github.com/acme/hello.git#main --git-access-token TOKEN\n" +
			"  drydock acr task create -r contoso -n nightly --cmd 'bash echo hello' -c /dev/null --schedule '0 3 * * *'",
		flags: func(f *flags) {
			t.define(f)
			d.define(f)
			d.triggers.defineNew(f)
			f.StringVar(&d.command, "cmd", "", "a command to carry out instead of a task file")
			identity.Empty = true
			f.Var(&identity, "assign-identity", "identities of the task: [system], or ids of others")
			f.BoolVar(&system, "is-system-task", false, "a task of the system, of the name quicktask")
		},
		run: func(c *call) (any, error) {
			task, err := t.find(c)
			if err != nil {
				return nil, err
			}
			registry, err := task.registry.get(c)
			if err != nil {
				return nil, err
			}
			body := object{"location": registry["location"]}
			if identity.Given {
				body["identity"] = identityOf(identity.Values)
			}
			if more := d.auth.assign(body["identity"]); more != nil {
				body["identity"] = more
			}
			properties, err := d.create(c)
			if err != nil {
				return nil, err
			}
			if system {
				properties["isSystemTask"] = true
			}
			body["properties"] = properties
			created, err := task.put(c, body)
			return flat(created), err
		},
	}
}

// create returns the properties of a new task, with the defaults of the Azure
// CLI.
func (d *taskDefinition) create(c *call) (object, error) {
	properties, err := d.properties(c)
	if err != nil {
		return nil, err
	}
	for key, value := range map[string]any{
		"status": "Enabled", "platform": object{"os": "linux"}, "agentConfiguration": object{"cpu": 2}, "timeout": 3600,
	} {
		if _, there := properties[key]; !there {
			properties[key] = value
		}
	}
	if properties["step"], err = d.step(c); err != nil {
		return nil, err
	}
	context := ""
	if d.hasSource() {
		context = d.context
	}
	source, err := d.triggers.source(context)
	if err != nil {
		return nil, usageError(c.cmd, err)
	}
	if source == nil && context != "" && !d.triggers.commit.Given {
		c.say("Commits start no runs of the task: give --git-access-token, or --commit-trigger-enabled true for a repository that needs none, which is polled.")
	}
	trigger := with("baseImageTrigger", d.triggers.baseImage(), "timerTriggers", d.triggers.timers())
	if source != nil {
		trigger["sourceTriggers"] = []any{source}
	}
	properties["trigger"] = trigger
	return properties, nil
}

const systemIdentity = "[system]"

// identityOf returns the identity of a task: the system's for none.
func identityOf(ids []string) object {
	users := object{}
	system := len(ids) == 0
	for _, id := range ids {
		if strings.EqualFold(id, systemIdentity) {
			system = true
		} else {
			users[id] = object{}
		}
	}
	var kinds []string
	if system {
		kinds = append(kinds, "SystemAssigned")
	}
	if len(users) > 0 {
		kinds = append(kinds, "UserAssigned")
	}
	return with("type", strings.Join(kinds, ", "), "userAssignedIdentities", users)
}
