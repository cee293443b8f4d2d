package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// shutdownGrace is how long requests may take that go on when the server ends,
// beside the runs.
const shutdownGrace = 10 * time.Second

// serve serves until ctx ends, lets runs drain, and closes the daemon.
func (d *daemon) serve(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.keepNames(); err != nil {
		return err
	}
	remove, err := d.manageHosts(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()

	var parts sync.WaitGroup
	defer parts.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	parts.Go(func() {
		if err := d.web.serve(); err != nil {
			stop(err)
		}
	})
	parts.Go(func() { d.maintain(background) })
	parts.Go(func() { d.resume(background) })
	for _, loop := range d.loops {
		parts.Go(func() { loop(background) })
	}
	if err := d.sealEnded(ctx); err != nil {
		d.log.ErrorContext(ctx, "ending the logs of runs that have ended", "error", err)
	}
	d.health.ready.Store(true)
	d.welcome(ctx)
	facts := []any{"listen", d.web.listener.Addr().String(), "domain", d.names.domain, "slots", d.config.Slots}
	if d.proxyAddress != nil {
		facts = append(facts, "proxy", d.proxyAddress.String())
	}
	d.log.InfoContext(ctx, "serving", facts...)

	drained := make(chan struct{})
	parts.Go(func() { defer close(drained); d.drain(ctx, background) })
	err = d.worker.Run(ctx) // until ctx ends and no run goes on
	stop(nil)
	<-drained
	d.log.InfoContext(background, "ending")
	// Runs push to this server, so it serves until they are done.
	grace, cancel := context.WithTimeout(background, shutdownGrace)
	defer cancel()
	err = errors.Join(err, d.web.shutdown(grace))
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(err, cause)
	}
	return err
}

// drain says when ctx ends that no work is taken any more: while runs go on the
// server still answers, and whoever sends it work must know. Log lines have the
// context after.
func (d *daemon) drain(ctx, after context.Context) {
	<-ctx.Done()
	d.health.ready.Store(false)
	runs := 0
	for _, l := range d.queue.Loads() {
		runs += l.Busy
	}
	d.log.InfoContext(after, "draining", "runs", runs, "within", d.config.Drain.String())
}

// resume finishes the deletions that a killed server had begun.
func (d *daemon) resume(ctx context.Context) {
	if err := d.arm.Resume(ctx); err != nil && ctx.Err() == nil {
		d.log.ErrorContext(ctx, "finishing deletions", "error", err)
	}
}

// registryType is the type of registries.
const registryType = "Microsoft.ContainerRegistry/registries"

func (d *daemon) registries(ctx context.Context) ([]drydock.Resource, error) {
	return d.store.Resources(ctx, drydock.ResourceFilter{
		Below: drydock.ResourceID{Subscription: d.subscription}, Type: registryType,
	})
}
