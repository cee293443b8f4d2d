package drydock_test

import (
	"testing"

	"github.com/drydockhq/drydock"
)

func TestScopeOfWebhooks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		scope, repository, tag string
		want                   bool
	}{
		{"", "foo", "bar", true},
		{"", "foo", "", true},
		{"foo:*", "foo", "bar", true},
		{"foo:*", "foo", "", true},
		{"foo:*", "foo/x", "bar", false},
		{"foo:bar", "foo", "bar", true},
		{"foo:bar", "foo", "", false},
		{"foo:bar", "foo", "baz", false},
		{"foo", "foo", "latest", true},
		{"foo", "foo", "bar", false},
		{"team/foo:1", "team/foo", "1", true},
	} {
		if got := (drydock.Webhook{Scope: c.scope}).Covers(c.repository, c.tag); got != c.want {
			t.Errorf("%q covers %s:%s: %t", c.scope, c.repository, c.tag, got)
		}
	}
}

func TestActionsOfWebhooks(t *testing.T) {
	t.Parallel()
	w := drydock.Webhook{Enabled: true, Actions: []string{drydock.PushAction}}
	if !w.Wants(drydock.PushAction) || w.Wants(drydock.RunAction) {
		t.Error("the wrong actions")
	}
	w.Enabled = false
	if w.Wants(drydock.PushAction) {
		t.Error("a disabled webhook wants to know")
	}
}
