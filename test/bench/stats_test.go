package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
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

func TestGoalsAreComparable(t *testing.T) {
	t.Parallel()
	for goal, want := range map[float64]string{1 / 0.95: "1.05", 1.1: "1.1", 2.5: "2.5", 3: "3"} {
		if got := goalText(goal); got != want {
			t.Errorf("%v is %q, want %q", goal, got, want)
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

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[99-i] = float64(i + 1)
	}
	for _, c := range []struct {
		values []float64
		part   float64
		want   float64
	}{{hundred, 0.99, 99}, {hundred, 1, 100}, {hundred, 0.5, 50}, {[]float64{7}, 0.99, 7}, {nil, 0.99, 0}} {
		if got := percentile(c.values, c.part); got != c.want {
			t.Errorf("the %g percentile of %d values is %g, not %g", c.part, len(c.values), got, c.want)
		}
	}
}

func TestEmptySlots(t *testing.T) {
	t.Parallel()
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	// As many runs as there are slots start at once; the next waits for the first
	// end, and one that comes later for nothing but itself.
	var all []span
	for i := range slots {
		all = append(all, span{at(0), at(1), at(10 + i)})
	}
	all = append(all, span{at(0), at(12), at(20)}, span{at(40), at(43), at(50)})
	want := append(slices.Repeat([]float64{1}, slots), 2, 3)
	if got := emptySlots(all); !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}
