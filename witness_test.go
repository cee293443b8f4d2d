package drydock_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/drydockhq/drydock"
)

// What is beside a request is done only if its witness takes note of it before, and
// when it is done the witness does not make it fail.
func TestWitnessedAside(t *testing.T) {
	t.Parallel()
	full, broken := errors.New("the log is full"), errors.New("it can't be done")
	for name, c := range map[string]struct {
		before, act, after error
		want               error
		told               []drydock.AuditResult
	}{
		"good":             {told: []drydock.AuditResult{"", drydock.AuditSucceeded}},
		"not noted":        {before: full, want: full, told: []drydock.AuditResult{""}},
		"fails":            {act: broken, want: broken, told: []drydock.AuditResult{"", drydock.AuditFailed}},
		"end not noted":    {after: full, told: []drydock.AuditResult{"", drydock.AuditSucceeded}},
		"fails, not noted": {act: broken, after: full, want: broken, told: []drydock.AuditResult{"", drydock.AuditFailed}},
	} {
		var told []drydock.AuditResult
		ctx := drydock.WithWitness(t.Context(), func(_ context.Context, a drydock.Act) error {
			if told = append(told, a.Result); !a.Aside {
				t.Errorf("%s: %+v is not aside", name, a)
			}
			if a.Result == "" {
				return c.before
			}
			return c.after
		})
		done := false
		err := drydock.WitnessedAside(ctx, drydock.Act{}, func() error { done = true; return c.act })
		if !errors.Is(err, c.want) || c.want == nil && err != nil || !slices.Equal(told, c.told) || done != (c.before == nil) {
			t.Errorf("%s: %v, want %v; told %q, done %t", name, err, c.want, told, done)
		}
	}
}
