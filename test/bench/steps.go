package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydockhq/drydock/test/images"
)

// stepsTask is a task of one step, and then n more: one after another, or all
// at once.
func (l *lab) stepsTask(n int, parallel bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: v1.1.0\nsteps:\n- id: first\n  cmd: %s true\n", l.busybox())
	for i := range n {
		fmt.Fprintf(&b, "- id: s%d\n  cmd: %s true\n", i, l.busybox())
		if parallel {
			b.WriteString("  when: [first]\n")
		}
	}
	return b.String()
}

// marginal returns a contender whose value is what n more steps add to a task of
// one step, divided by parts.
func (l *lab) marginal(r row, name string, n, parts int, parallel bool) (contender, error) {
	one, err := l.folder(name+"-1", map[string]string{"acb.yaml": l.stepsTask(0, parallel)})
	if err != nil {
		return contender{}, err
	}
	more, err := l.folder(name+"-n", map[string]string{"acb.yaml": l.stepsTask(n, parallel)})
	if err != nil {
		return contender{}, err
	}
	return contender{rows: []row{r}, do: func(ctx context.Context, _ int) ([]float64, error) {
		short, err := l.exec(ctx, one)
		if err != nil {
			return nil, err
		}
		long, err := l.exec(ctx, more)
		if err != nil {
			return nil, err
		}
		return []float64{milliseconds(long.wall-short.wall) / float64(parts)}, nil
	}}, nil
}

// trueProgram is `true` of busybox.
func (l *lab) trueProgram(ctx context.Context) (*program, error) {
	p, _, err := l.bundle.unpack(ctx, images.Busybox)
	if err != nil {
		return nil, err
	}
	p.args = []string{"true"}
	return p, nil
}

// bundles returns runc's arguments for n containers.
func (l *lab) bundles(p *program, n int) ([][]string, error) {
	var all [][]string
	for range n {
		args, err := l.bundle.container(p)
		if err != nil {
			return nil, err
		}
		all = append(all, args)
	}
	return all, nil
}

// sequential compares one more step with one more `runc run`.
func (l *lab) sequential(ctx context.Context, n int) (comparison, error) {
	p, err := l.trueProgram(ctx)
	if err != nil {
		return comparison{}, err
	}
	step, err := l.marginal(row{name: "drydockd exec, one more step", goal: 2.5}, "sequential", n, n, false)
	return comparison{
		title: fmt.Sprintf("A cmd step `true` with its network, mean of %d in a row", n),
		contenders: []contender{
			{rows: []row{{name: "runc run"}}, do: func(ctx context.Context, _ int) ([]float64, error) {
				all, err := l.bundles(p, n)
				if err != nil {
					return nil, err
				}
				start := time.Now()
				for _, args := range all {
					if _, err := timed(ctx, l.runc, args...); err != nil {
						return nil, err
					}
				}
				return []float64{milliseconds(time.Since(start)) / float64(n)}, nil
			}},
			step,
		},
	}, err
}

// parallel compares steps that run at once with as many `runc run`.
func (l *lab) parallel(ctx context.Context, n int) (comparison, error) {
	p, err := l.trueProgram(ctx)
	if err != nil {
		return comparison{}, err
	}
	steps, err := l.marginal(row{name: "drydockd exec, so many more steps", goal: 3}, "parallel", n, 1, true)
	return comparison{
		title: fmt.Sprintf("%d cmd steps `true` in parallel", n),
		contenders: []contender{
			{rows: []row{{name: "runc run, so many at once"}}, do: func(ctx context.Context, _ int) ([]float64, error) {
				all, err := l.bundles(p, n)
				if err != nil {
					return nil, err
				}
				start := time.Now()
				var running errgroup.Group
				for _, args := range all {
					running.Go(func() error {
						out, err := exec.CommandContext(ctx, l.runc, args...).CombinedOutput()
						if err != nil {
							return fmt.Errorf("runc: %w: %s", err, out)
						}
						return nil
					})
				}
				err = running.Wait()
				return []float64{milliseconds(time.Since(start))}, err
			}},
			steps,
		},
	}, err
}
