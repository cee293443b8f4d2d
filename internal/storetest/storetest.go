// Package storetest is the suite that every implementation of the store ports
// passes.
package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/drydockhq/drydock"
)

// Store is all store ports together.
type Store interface {
	drydock.AuditStore
	drydock.DeletedVaultStore
	drydock.SealedStore
	drydock.SecretStore
	drydock.DeliveryLog
	drydock.DeliveryStore
	drydock.CommitStatusStore
	drydock.DueStore
	drydock.EventStore
	drydock.ImagePollStore
	drydock.ImageStateStore
	drydock.InstanceStore
	drydock.RegistryPauseStore
	drydock.PeopleStore
	drydock.PrincipalStore
	drydock.ResourceStore
	drydock.RoleStore
	drydock.RunStore
	drydock.SettingStore
	drydock.TaskGraph
	drydock.TaskImageStore
	drydock.SourceWatchStore
	drydock.TimerStore
	drydock.Transactor
	drydock.WatchedImageStore
}

// Opener opens one set of data, again and again: a store may have been left
// open by a process that was killed. It closes at the end of the test.
type Opener func() Store

// Run runs the whole suite. newData returns a way to open data of its own that
// is empty.
func Run(t *testing.T, newData func(t *testing.T) Opener) {
	newStore := func(t *testing.T) Store { return newData(t)() }
	groups := map[string]map[string]func(*testing.T, Store){
		"Audit":          auditTests,
		"CommitStatuses": commitStatusTests,
		"Deliveries":     deliveryTests,
		"Events":         eventTests,
		"ImagePolls":     imagePollTests,
		"Instances":      instanceTests,
		"Principals":     principalTests,
		"Resources":      resourceTests,
		"Roles":          roleTests,
		"SourceWatches":  sourceWatchTests,
		"Settings":       settingTests,
		"TaskImages":     taskImageTests,
		"Timers":         timerTests,
		"Together":       atomicTests,
		"Vaults":         vaultTests,
	}
	for name, tests := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for name, test := range tests {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t, newStore(t))
				})
			}
		})
	}
	t.Run("Runs", func(t *testing.T) {
		t.Parallel()
		Runs(t, func(t *testing.T) drydock.RunStore {
			s := newStore(t)
			putRegistries(t, s)
			return s
		})
	})
	for name, test := range reopenTests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newData(t))
		})
	}
}

// The resources that tests use.
var (
	group    = mustID("/subscriptions/0000/resourceGroups/Docks")
	registry = mustID(group.String() + "/providers/Microsoft.ContainerRegistry/registries/contoso")
	other    = mustID(group.String() + "/providers/Microsoft.ContainerRegistry/registries/Fabrikam")
)

// day is when things happen in tests.
var day = time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)

// Registries returns the two registries that a store must have for Runs.
func Registries() []drydock.ResourceID { return []drydock.ResourceID{registry, other} }

func mustID(s string) drydock.ResourceID {
	id, err := drydock.ParseResourceID(s)
	if err != nil {
		panic(err)
	}
	return id
}

func putRegistries(t *testing.T, s drydock.ResourceStore) {
	t.Helper()
	for _, id := range []drydock.ResourceID{group, registry, other} {
		put(t, s, drydock.Resource{ID: id})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantCode checks that err has a code.
func wantCode(t *testing.T, what string, err error, want drydock.Code) {
	t.Helper()
	if got := drydock.CodeOf(err); got != want {
		t.Errorf("%s: error %v with code %q, want code %q", what, err, got, want)
	}
}

// same compares; nil and empty slices are the same.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
