package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// write prints the table: for each row the median, the least and the greatest
// value of the rounds, and the median of its ratios to the first row.
func (t table) write(w io.Writer) error {
	fmt.Fprintf(w, "\n%s\n", t.title)
	tw := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "\tmedian\tleast\tmost\t")
	if !t.noRatio {
		fmt.Fprint(tw, "ratio\t   goal")
	}
	fmt.Fprintln(tw)
	width := t.width()
	for _, r := range t.rows {
		fmt.Fprintf(tw, "%-*s\t%s\t%s\t%s\t", width, r.name,
			r.text(median(r.values)), r.text(slices.Min(r.values)), r.text(slices.Max(r.values)))
		if !t.noRatio {
			ratio := median(ratios(r.values, t.rows[0].values))
			fmt.Fprintf(tw, "%.2f×\t%s", ratio, r.verdict(ratio))
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

func (t table) width() int {
	width := 0
	for _, r := range t.rows {
		width = max(width, len([]rune(r.name)))
	}
	return width
}

// text returns a value with its unit.
func (r row) text(v float64) string {
	if r.unit != "" {
		return fmt.Sprintf("%.0f %s", v, r.unit)
	}
	return fmt.Sprintf("%.1f ms", v)
}

// verdict says whether the ratio is within the goal.
func (r row) verdict(ratio float64) string {
	switch {
	case r.goal == 0:
		return ""
	case ratio <= r.goal:
		return fmt.Sprintf("   ≤ %s×, met", goalText(r.goal))
	}
	return fmt.Sprintf("   ≤ %s×, missed", goalText(r.goal))
}

// goalText returns a goal with as many digits as the ratio beside it has, so that
// both can be compared, but for zeros at the end.
func goalText(goal float64) string {
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", goal), "0"), ".0")
}
