package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

func BenchmarkCreateRun(b *testing.B) {
	s := benchStore(b)
	for b.Loop() {
		if _, err := s.CreateRun(b.Context(), benchRun); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUpdateRun(b *testing.B) {
	s := benchStore(b)
	r, err := s.CreateRun(b.Context(), benchRun)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_, err := s.UpdateRun(b.Context(), r.Registry, r.ID, func(r *drydock.RunRecord) error {
			r.Attempts++
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	s := benchStore(b)
	r, err := s.CreateRun(b.Context(), benchRun)
	if err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Run(b.Context(), r.Registry, r.ID); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkListRuns(b *testing.B) {
	s := benchStore(b)
	for i := range 2000 {
		r := benchRun
		r.Task = fmt.Sprint("task", i%20)
		if _, err := s.CreateRun(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	for name, f := range map[string]drydock.RunFilter{
		"newest15":       {Registry: benchRegistry, Limit: 15},
		"newest15OfTask": {Registry: benchRegistry, Tasks: []string{"task7"}, Limit: 15},
		"queuedInBrief":  {Statuses: []drydock.RunStatus{drydock.RunQueued}, Brief: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Runs(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

var (
	benchRegistry = drydock.ResourceID{
		Subscription: "00000000-0000-0000-0000-000000000000", Group: "docks",
		Namespace: "Microsoft.ContainerRegistry", Types: []string{"registries"}, Names: []string{"contoso"},
	}
	benchRun = drydock.RunRecord{
		Registry: benchRegistry, Type: drydock.QuickRun,
		Request: []byte(`{"Kind":"EncodedTaskRunRequest","TaskContent":"c3RlcHM6IFt7Y21kOiB0cnVlfV0=","OS":"linux"}`),
	}
)

func benchStore(b *testing.B) *sqlstore.Store {
	b.Helper()
	s := open(b, filepath.Join(b.TempDir(), "drydock.db"))
	for _, id := range []drydock.ResourceID{benchRegistry.Parent(), benchRegistry} {
		if _, err := s.PutResource(b.Context(), drydock.Resource{ID: id}, ""); err != nil {
			b.Fatal(err)
		}
	}
	return s
}
