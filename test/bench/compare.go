package main

import (
	"context"
	"fmt"
	"slices"
)

// row is a line of a table.
type row struct {
	name   string
	unit   string    // "ms" if empty
	goal   float64   // greatest multiple of the first row that we want; 0 for none
	values []float64 // one a round
}

// contender is one way to do a job. What it does in a round gives one value for
// each of its rows.
type contender struct {
	rows []row
	do   func(ctx context.Context, round int) ([]float64, error)
}

// comparison is a table: contenders that do the same job, the first of them the
// base that the others are compared with.
type comparison struct {
	title      string
	contenders []contender
	noRatio    bool // the rows are different things
	once       bool // it is long: one round, and none before
}

// table is a comparison that was carried out.
type table struct {
	title   string
	rows    []row
	noRatio bool
}

// run carries out the rounds. In each of them every contender has a turn, and
// the next round begins with another one, so that none always comes first. A
// round before the first one fills the caches and does not count.
func (c comparison) run(ctx context.Context, rounds int) (table, error) {
	rows := make([][]row, len(c.contenders))
	for i, contender := range c.contenders {
		rows[i] = slices.Clone(contender.rows)
	}
	first := 0
	if c.once {
		first, rounds = 1, 1
	}
	for round := first; round <= rounds; round++ {
		for turn := range c.contenders {
			i := (turn + round) % len(c.contenders)
			values, err := c.contenders[i].do(ctx, round)
			if err != nil {
				return table{}, fmt.Errorf("%s, %s: %w", c.title, rows[i][0].name, err)
			}
			for r := range rows[i] {
				if round > 0 {
					rows[i][r].values = append(rows[i][r].values, values[r])
				}
			}
		}
	}
	return table{title: c.title, rows: slices.Concat(rows...), noRatio: c.noRatio}, nil
}
