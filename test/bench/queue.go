package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/serve"
)

// clients is how many clients schedule runs at the same time.
const clients = 4

// queued measures runs that do nothing: how fast they are taken in over the API,
// how fast they are carried out, and how long a slot is empty between two.
func (l *lab) queued(s *server, runs int) comparison {
	return comparison{title: fmt.Sprintf("%d queued runs without containers, %d at a time", runs, slots), noRatio: true, once: true, contenders: []contender{{
		rows: []row{
			{name: "scheduled by the API", unit: "a second"},
			{name: "carried out", unit: "a second"},
			{name: "a slot is empty, median"},
			{name: "a slot is empty, p99"},
		},
		do: func(ctx context.Context, _ int) ([]float64, error) {
			began := time.Now()
			if err := s.schedule(ctx, runs); err != nil {
				return nil, err
			}
			scheduled := time.Since(began)
			all, err := s.ended(ctx, runs)
			if err != nil {
				return nil, err
			}
			gaps := emptySlots(all)
			total := all[len(all)-1].finish.Sub(all[0].start)
			return []float64{
				float64(runs) / scheduled.Seconds(), float64(runs) / total.Seconds(), median(gaps), percentile(gaps, 0.99),
			}, nil
		},
	}}}
}

// schedule schedules runs through the SDK.
func (s *server) schedule(ctx context.Context, runs int) error {
	group, ctx := errgroup.WithContext(ctx)
	for client := range clients {
		group.Go(func() error {
			for i := client; i < runs; i += clients {
				_, err := s.azure.Registries.BeginScheduleRun(ctx, serve.Group, "contoso", serve.Task("steps:\n- cmd: docker images\n"), nil)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// span is when a run went on.
type span struct{ create, start, finish time.Time }

// ended waits until the newest runs have ended and returns them in the order in
// which they were started.
func (s *server) ended(ctx context.Context, runs int) ([]span, error) {
	for {
		all, err := s.spans(ctx, runs)
		if err != nil || len(all) == runs {
			slices.SortFunc(all, func(a, b span) int { return a.start.Compare(b.start) })
			return all, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Second):
		}
	}
}

// spans returns those of the newest runs that have succeeded.
func (s *server) spans(ctx context.Context, runs int) ([]span, error) {
	top := int32(runs)
	var all []span
	pages := s.azure.Runs.NewListPager(serve.Group, "contoso", &armcontainerregistry.RunsClientListOptions{Top: &top})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Value {
			p := r.Properties
			switch {
			case *p.Status == armcontainerregistry.RunStatusSucceeded:
				all = append(all, span{*p.CreateTime, *p.StartTime, *p.FinishTime})
			case p.FinishTime != nil:
				return nil, fmt.Errorf("run %s ended as %s", *p.RunID, *p.Status)
			}
		}
	}
	return all, nil
}

// emptySlots returns how long a slot waited for each run: since a run left it,
// or since the run was there, in milliseconds.
func emptySlots(all []span) []float64 {
	var finished []time.Time
	for _, r := range all {
		finished = append(finished, r.finish)
	}
	slices.SortFunc(finished, time.Time.Compare)
	var gaps []float64
	for i, r := range all {
		since := r.create
		if i >= slots && finished[i-slots].After(since) {
			since = finished[i-slots]
		}
		gaps = append(gaps, milliseconds(max(0, r.start.Sub(since))))
	}
	return gaps
}
