package auth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// Containers of a group get tokens of its identities, which are good in the group
// and while it lasts.
func TestTokensOfAContainerGroup(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	group := registryID("one")
	group.Namespace, group.Types, group.Names = "Microsoft.ContainerInstance", []string{"containerGroups"}, []string{"page"}
	key := drydock.RunKey{Group: group, Created: time.Unix(1_600_000_000, 7)}
	m.task = group // whose identities they are
	p := m.system(t)

	status, answer := m.get(t, &key, http.MethodGet, imds, "", "Metadata", "true")
	if status != http.StatusBadRequest || !strings.Contains(answer["error_description"].(string), "container group page was deleted") {
		t.Errorf("of a group that is not there: %d %v", status, answer)
	}
	m.groups = map[string]time.Time{group.Key(): key.Created}
	status, answer = m.get(t, &key, http.MethodGet, imds, "", "Metadata", "true")
	if status != http.StatusOK || answer["client_id"] != p.AppID {
		t.Fatal(status, answer)
	}
	token := answer["access_token"].(string)
	inside := auth.WithRun(t.Context(), key)
	verify := func(ctx context.Context) error {
		got, err := m.Verify(ctx, token, auth.Management)
		if err == nil && (got.ID != p.ID || got.Run == nil || got.Run.Group.Key() != group.Key()) {
			t.Errorf("it is the token of %+v", got)
		}
		return err
	}
	if err := verify(inside); err != nil {
		t.Error(err)
	}
	run := m.run.Key()
	other := key
	other.Group.Names = []string{"other"}
	for name, from := range map[string]context.Context{"outside": t.Context(), "in a run": auth.WithRun(t.Context(), run), "in another group": auth.WithRun(t.Context(), other)} {
		if err := verify(from); err == nil || !strings.Contains(err.Error(), "good only in that container group") {
			t.Errorf("%s: %v", name, err)
		}
	}
	m.groups[group.Key()] = key.Created.Add(time.Nanosecond) // another one of the name
	if err := verify(inside); err == nil || !strings.Contains(err.Error(), "was deleted") {
		t.Errorf("made again: %v", err)
	}
}
