package cli

import (
	"fmt"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/args"
)

// The names of triggers that are given none.
const (
	sourceTriggerName    = "defaultSourceTriggerName"
	baseImageTriggerName = "defaultBaseimageTriggerName"
)

// triggerFlags are the flags of a task's triggers.
type triggerFlags struct {
	token                string
	commit, pull, base   args.Bool
	baseType, payload    args.Enum
	endpoint             string
	schedules            []string
	sourceName, baseName string
}

func (t *triggerFlags) define(f *flags) {
	t.baseType.Choices, t.payload.Choices = []string{"All", "Runtime"}, []string{"Default", "Token"}
	f.StringVar(&t.token, "git-access-token", "", "token for the git host")
	t.commit.Var(f.FlagSet, "commit-trigger-enabled", "whether a commit starts a run")
	t.pull.Var(f.FlagSet, "pull-request-trigger-enabled", "whether a pull request starts a run")
	t.base.Var(f.FlagSet, "base-image-trigger-enabled", "whether a new base image starts a run")
	f.Var(&t.baseType, "base-image-trigger-type", "which base images count")
	f.StringVar(&t.endpoint, "update-trigger-endpoint", "", "URL that is told of new base images")
	f.Var(&t.payload, "update-trigger-payload-type", "what it is told")
}

// defineNew defines the flags that new tasks have only.
func (t *triggerFlags) defineNew(f *flags) {
	f.StringArrayVar(&t.schedules, "schedule", nil, "[NAME:]CRON in UTC; may be given several times")
	f.StringVar(&t.sourceName, "source-trigger-name", sourceTriggerName, "name of the source trigger")
	f.StringVar(&t.baseName, "base-image-trigger-name", baseImageTriggerName, "name of the base image trigger")
}

// source returns the source trigger of a new task, nil for none.
func (t *triggerFlags) source(context string) (object, error) {
	// The Azure CLI wants a token for a commit trigger, which is on unless told
	// otherwise. A repository on a local disk or in public has none, and then
	// the trigger is on only if it is asked for.
	commit := t.commit.Or(t.token != "")
	var events []string
	if commit {
		events = append(events, "commit")
	}
	if t.pull.Value {
		events = append(events, "pullrequest")
	}
	if events == nil {
		return nil, nil
	}
	if context == "" {
		return nil, fmt.Errorf("--commit-trigger-enabled and --pull-request-trigger-enabled need a git repository as --context")
	}
	branch := branchOf(context)
	if branch == "" {
		branch = "master"
	}
	repository := object{"sourceControlType": controlType(context), "repositoryUrl": context, "branch": branch}
	if t.token != "" {
		repository["sourceControlAuthProperties"] = object{"token": t.token, "tokenType": "PAT", "scope": "repo"}
	}
	return object{"name": t.sourceName, "status": "Enabled", "sourceTriggerEvents": events, "sourceRepository": repository}, nil
}

// controlType is what the Azure CLI calls a git host; the server goes by the
// address.
func controlType(context string) string {
	if strings.Contains(strings.ToLower(context), "github.com") {
		return "Github"
	}
	return "VisualStudioTeamService"
}

// branchOf returns the branch in the address of a repository: URL#branch:folder.
func branchOf(context string) string {
	_, rest, _ := strings.Cut(context, "#")
	branch, _, _ := strings.Cut(rest, ":")
	return branch
}

// baseImage returns the base image trigger of a new task, nil for none.
func (t *triggerFlags) baseImage() object {
	if !t.base.Or(true) {
		return nil
	}
	o := with("name", t.baseName, "status", "Enabled", "updateTriggerEndpoint", t.endpoint)
	o["baseImageTriggerType"], o["updateTriggerPayloadType"] = "Runtime", "Default"
	t.overBase(o)
	return o
}

func (t *triggerFlags) overBase(o object) {
	for key, value := range with("baseImageTriggerType", t.baseType.Value, "updateTriggerPayloadType", t.payload.Value, "updateTriggerEndpoint", t.endpoint) {
		o[key] = value
	}
}

// timers returns the timer triggers of a new task. A schedule without a name
// gets t1, t2, …
func (t *triggerFlags) timers() []any {
	var timers []any
	for i, text := range t.schedules {
		name, schedule, ok := strings.Cut(text, ":")
		if !ok {
			name, schedule = fmt.Sprintf("t%d", i+1), text
		}
		timers = append(timers, object{"name": strings.TrimSpace(name), "schedule": strings.TrimSpace(schedule), "status": "Enabled"})
	}
	return timers
}
