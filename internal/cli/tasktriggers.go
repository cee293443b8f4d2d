package cli

import (
	"cmp"
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

	branch             string
	paths              args.List
	supersede, secrets args.Bool
}

func (t *triggerFlags) define(f *flags) {
	t.baseType.Choices, t.payload.Choices = []string{"All", "Runtime"}, []string{"Default", "Token"}
	f.StringVar(&t.token, "git-access-token", "", "token for the git host")
	t.commit.Var(f.FlagSet, "commit-trigger-enabled", "whether a commit starts a run")
	t.pull.Var(f.FlagSet, "pull-request-trigger-enabled", "whether a pull request starts a run")
	f.StringVar(&t.branch, "source-trigger-branch", "", "branch whose commits and pull requests count, instead of that of the context; a pattern, as 'release/*', or of tags, as 'refs/tags/v*'")
	t.paths.Empty = true
	f.Var(&t.paths, "source-trigger-paths", "patterns of files of which one must have changed, as 'api/**' '!**/*.md'; none for any file")
	t.supersede.Var(f.FlagSet, "cancel-superseded", "whether a newer commit cancels the runs for older ones of its branch or pull request")
	t.secrets.Var(f.FlagSet, "pull-request-forks-see-secrets", "whether pull requests from other repositories run with the secrets, credentials and identities of the task")
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
	// The Azure CLI says master where there is none: the server's default does.
	repository := with("sourceControlType", controlType(context), "repositoryUrl", context, "branch", cmp.Or(t.branch, branchOf(context)))
	if t.token != "" {
		repository["sourceControlAuthProperties"] = object{"token": t.token, "tokenType": "PAT", "scope": "repo"}
	}
	o := object{"name": t.sourceName, "status": "Enabled", "sourceTriggerEvents": events, "sourceRepository": repository}
	t.overSource(o)
	return o, nil
}

// overSource sets what is Drydock's own of a source trigger, as far as it was
// given.
func (t *triggerFlags) overSource(o object) {
	if t.paths.Given {
		o["paths"] = t.paths.Values // null removes them
	}
	if t.supersede.Given {
		o["cancelSuperseded"] = t.supersede.Value
	}
	if t.secrets.Given {
		o["forkSecrets"] = t.secrets.Value
	}
}

// changesSource reports whether a flag changes a source trigger that is there.
func (t *triggerFlags) changesSource() bool {
	return t.commit.Given || t.pull.Given || t.branch != "" || t.paths.Given || t.supersede.Given || t.secrets.Given
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
