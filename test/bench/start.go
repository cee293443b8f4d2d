package main

import "context"

// start measures how soon `drydockd exec` gets to work, and its size.
func (l *lab) start() (comparison, error) {
	source, err := l.folder("start", map[string]string{
		"acb.yaml": "version: v1.1.0\nsteps:\n- id: first\n  cmd: " + l.busybox() + " echo first\n",
	})
	return comparison{title: "drydockd exec of one step `echo`", noRatio: true, contenders: []contender{
		{rows: []row{{name: "drydockd version"}}, do: func(ctx context.Context, _ int) ([]float64, error) {
			took, err := timed(ctx, l.drydockd, "version")
			return []float64{milliseconds(took)}, err
		}},
		{
			rows: []row{
				{name: "start to first step"},
				{name: "start to first output of a step"},
				{name: "start to end"},
				{name: "processor time, containers included"},
				{name: "peak size", unit: "MB"},
				{name: "size at rest, engine open", unit: "MB"},
			},
			do: func(ctx context.Context, _ int) ([]float64, error) {
				e, err := l.exec(ctx, source)
				const mega = 1e6
				return []float64{
					milliseconds(e.started), milliseconds(e.printed), milliseconds(e.wall), milliseconds(e.busy),
					float64(e.peakSize) / mega, float64(l.bundle.rest) / mega,
				}, err
			},
		},
	}}, err
}
