package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 100, 2}, 3},
	} {
		given := slices.Clone(c.values)
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(given, c.values) {
			t.Errorf("median has sorted %v", given)
		}
	}
}

// counter is a contender that notes its turns and returns the number of the
// round.
func counter(name string, turns *[]string, factor float64) contender {
	return contender{rows: []row{{name: name, goal: 2.5}}, do: func(_ context.Context, round int) ([]float64, error) {
		*turns = append(*turns, name)
		return []float64{float64(round) * factor}, nil
	}}
}

func TestComparisonTakesTurns(t *testing.T) {
	t.Parallel()
	var turns []string
	c := comparison{title: "Jobs", contenders: []contender{counter("a", &turns, 1), counter("b", &turns, 3)}}
	got, err := c.run(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	if order := strings.Join(turns, ""); order != "abbaabba" {
		t.Errorf("the turns are %s", order)
	}
	if !slices.Equal(got.rows[0].values, []float64{1, 2, 3}) || !slices.Equal(got.rows[1].values, []float64{3, 6, 9}) {
		t.Errorf("the values are %v", got.rows)
	}
	var out strings.Builder
	if err := got.write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nJobs\n", "1.00×   ≤ 2.5×, met\n", "3.00×   ≤ 2.5×, missed\n", "6.0 ms", "9.0 ms"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, out.String())
		}
	}
}

func TestComparisonSaysWhoFailed(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	c := comparison{title: "Jobs", contenders: []contender{{
		rows: []row{{name: "a"}},
		do:   func(context.Context, int) ([]float64, error) { return nil, broken },
	}}}
	if _, err := c.run(t.Context(), 1); !errors.Is(err, broken) || err.Error() != "Jobs, a: broken" {
		t.Errorf("the error is %v", err)
	}
}
