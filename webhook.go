package drydock

import (
	"slices"
	"strings"
)

// Webhook is what tells a URL of what happens in a registry: the part of ACR's
// webhook resource that says when.
type Webhook struct {
	ID      ResourceID
	Enabled bool
	Actions []string // in lower case
	// Scope selects images, as in ACR: "foo:*" all tags of foo, "foo:bar" one
	// tag, "foo" the tag latest; empty for all.
	Scope string
}

// The actions of webhooks. Those about runs are not ACR's.
const (
	PushAction        = "push"
	DeleteAction      = "delete"
	QuarantineAction  = "quarantine"
	ChartPushAction   = "chart_push"
	ChartDeleteAction = "chart_delete"
	RunAction         = "run"        // a run has ended
	RunFailedAction   = "run_failed" // it has ended as Failed, Error or Timeout
	PingAction        = "ping"       // of messages; not one that a webhook can have
)

// WebhookActions returns the actions that a webhook can have.
func WebhookActions() []string {
	return []string{
		PushAction, DeleteAction, QuarantineAction, ChartPushAction, ChartDeleteAction, RunAction, RunFailedAction,
	}
}

// Wants reports whether a webhook is to be told of an action.
func (w Webhook) Wants(action string) bool {
	return w.Enabled && slices.Contains(w.Actions, action)
}

// Covers reports whether an image of its registry is in the webhook's scope. An
// image without a tag is if all tags of its repository are.
func (w Webhook) Covers(repository, tag string) bool {
	if w.Scope == "" {
		return true
	}
	wanted, tags, ok := strings.Cut(w.Scope, ":")
	if !ok {
		tags = "latest"
	}
	return repository == wanted && (tags == "*" || tag != "" && tag == tags)
}
