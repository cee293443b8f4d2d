package storetest

import (
	"context"
	"testing"

	"github.com/drydockhq/drydock"
)

var reopenTests = map[string]func(*testing.T, Opener){
	"Cut off":     cutOff,
	"Two servers": twoServers,
}

// A store that is opened while the process before it never closed its own.
func cutOff(t *testing.T, open Opener) {
	s := open()
	putRegistries(t, s)
	before, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry, Created: day})
	check(t, err)
	ctx, kill := context.WithCancel(t.Context())
	err = s.Atomically(ctx, func(ctx context.Context) error {
		_, err := s.CreateRun(ctx, drydock.RunRecord{Registry: registry, Created: day})
		kill()
		return err
	})
	if err == nil {
		t.Error("a transaction that was cut off succeeded")
	}

	s = open()
	got, err := s.Run(t.Context(), registry, before.ID)
	check(t, err)
	same(t, "a run from before", got, before)
	runs, err := s.Runs(t.Context(), drydock.RunFilter{})
	check(t, err)
	same(t, "all runs", runs, []drydock.RunRecord{before})
	next, err := s.CreateRun(t.Context(), drydock.RunRecord{Registry: registry, Created: day})
	check(t, err)
	if next.Number != before.Number+1 {
		t.Errorf("after run %d comes %d", before.Number, next.Number)
	}
}

// Two that have the same data open see what the other writes.
func twoServers(t *testing.T, open Opener) {
	one, two := open(), open()
	check(t, one.PutSetting(t.Context(), "a", []byte("1")))
	got, err := two.Setting(t.Context(), "a")
	check(t, err)
	same(t, "read through the other", string(got), "1")
	check(t, two.PutSetting(t.Context(), "a", []byte("2")))
	got, err = one.Setting(t.Context(), "a")
	check(t, err)
	same(t, "and back", string(got), "2")
}
