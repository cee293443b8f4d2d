package arm_test

import (
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

// Who looks at what is armed sees also what keeps it from being noticed.
func TestDependenciesShowWhatIsWrongElsewhere(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	task := s.tasked(t, "contoso", "app", "", "")
	good, bad, own := image(t, "node:15"), image(t, "quay.io/team/base:1"), image(t, "contoso.azurecr.drydock.test:8443/base:1")
	s.knows(t, drydock.TaskImages{Task: task, Bases: []drydock.BaseImage{
		{Image: good, Kind: drydock.RuntimeBase}, {Image: bad, Kind: drydock.RuntimeBase}, {Image: own, Kind: drydock.RuntimeBase},
	}})
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, p := range []drydock.ImagePoll{
		{Image: good, Checked: at, Next: at.Add(time.Hour)},
		{Image: bad, Next: at.Add(time.Hour), Failures: 3, Problem: "quay.io wants somebody to sign in for team/base"},
	} {
		if err := s.Store.PutImagePoll(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	bases := map[string]map[string]any{}
	for _, b := range s.dependencies(t, s.token, s.Scope("g", "registries", "contoso").String())["app"]["baseImages"].([]any) {
		doc := b.(map[string]any)
		bases[doc["image"].(string)] = doc
	}
	if b := bases[good.String()]; b["checked"] != "2026-03-04T05:06:07.0000000Z" || b["nextCheck"] != "2026-03-04T06:06:07.0000000Z" || b["problem"] != nil {
		t.Errorf("%v", b)
	}
	if b := bases[bad.String()]; b["checked"] != nil || b["problem"] != "quay.io wants somebody to sign in for team/base" {
		t.Errorf("%v", b)
	}
	if b := bases[own.String()]; b == nil || b["checked"] != nil || b["nextCheck"] != nil || b["problem"] != nil {
		t.Errorf("%v", b)
	}
}
