package main

import (
	"context"

	"github.com/drydockhq/drydock/internal/dispatch"
	"github.com/drydockhq/drydock/internal/timer"
)

// openTimers opens what starts runs at fixed times.
func (d *daemon) openTimers(context.Context) error {
	k := &timer.Keeper{
		Tasks: d.arm, Timers: d.store, Events: d.store, Runs: d.store, Store: d.store, Now: d.now, Log: d.log,
	}
	k.Follow = (&dispatch.Consumer{
		Name: "timers", Events: d.store, Store: d.store, Handle: k.Handle, Created: d.queue.Enlist, Log: d.log,
	}).All
	d.alongside(k.Run)
	return nil
}
