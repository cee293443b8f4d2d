package compat_test

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// cases do the operations that the server has, by what they are about.
var cases = map[string]func(*testing.T, *sdk){
	"subscription": subscription,
	"groups":       groups,
	"roles":        roles,
	"registries":   registries,
	"credentials":  credentials,
	"import_image": importImage,
	"builds":       builds,
	"runs":         runs,
	"rerun":        rerun,
	"tasks":        tasks,
	"task_runs":    taskRuns,
	"agent_pools":  agentPools,
	"triggers":     triggers,
	"webhooks":     webhooks,
	"vaults":       vaults,
	"secrets":      secrets,
	"rights":       secretRights,
	"identities":   identities,
	"instances":    instances,
	"uploads":      uploads,
	"data_plane":   dataPlane,
	"directory":    directory,
	"skopeo":       skopeo,
	"oras":         orasClient,
	"scope_maps":   scopeMaps,
	"tokens":       tokens,
	"logins":       skopeoTokens,
}

// Microsoft's SDKs and the registry clients of others use a running server.
func TestClients(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	t.Run("with", func(t *testing.T) {
		for name, do := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				do(t, s.sdk(t))
			})
		}
		t.Run("operations", func(t *testing.T) {
			t.Parallel()
			operationsOfTheSDK(t, s)
		})
	})
	if !t.Failed() {
		s.recorder.check(t)
	}
}

// poll waits for the end of an operation that goes on after its answer.
func poll[T any](p *runtime.Poller[T], err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		return must(p.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second}))(t)
	}
}

// all returns what the pages of a list have.
func all[P, T any](t testing.TB, pager *runtime.Pager[P], items func(P) []*T) []*T {
	t.Helper()
	var found []*T
	for pager.More() {
		found = append(found, items(must(pager.NextPage(t.Context()))(t))...)
	}
	return found
}

// has reports whether one of the items fits.
func has[T any](items []*T, fits func(*T) bool) bool {
	for _, item := range items {
		if fits(item) {
			return true
		}
	}
	return false
}
