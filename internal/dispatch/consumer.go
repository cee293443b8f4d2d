// Package dispatch brings events to those who make something of them, each
// event once: what a consumer writes and how far it has read are one
// transaction.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/drydockhq/drydock"
)

// Handler does in the store what events ask for, and returns the runs that it
// has created. It is called within a transaction, and again if that fails, so
// it does nothing slow and nothing outside of the store. An error that is none
// of the store's means that the event can't be handled: it is logged and passed
// over.
type Handler func(ctx context.Context, events []drydock.Event) ([]drydock.RunRecord, error)

// Consumer reads all events in their order. Its fields are set before Run.
type Consumer struct {
	Name   string // by which the store knows how far it has read
	Events drydock.EventStore
	Store  drydock.Transactor
	Handle Handler
	// Created is told of runs after they are stored, so that they are started.
	Created func(runs ...drydock.RunRecord)
	// Handled is told after events were handled and that is stored; may be nil.
	Handled func()
	Log     *slog.Logger

	Batch int           // events that are handled together at most; 100 if 0
	Poll  time.Duration // between two looks for events of other servers; 2 s if 0
}

// Run handles events until ctx ends, and returns nil then.
func (c *Consumer) Run(ctx context.Context) error {
	poll := c.Poll
	if poll == 0 {
		poll = 2 * time.Second
	}
	wait := time.NewTimer(poll)
	defer wait.Stop()
	for pause := poll; ctx.Err() == nil; {
		changed := c.Events.EventsChanged()
		more, err := c.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			c.Log.ErrorContext(ctx, "handling events, trying again", "consumer", c.Name, "error", err)
			changed, pause = nil, min(2*pause, time.Minute)
		case more:
			continue
		default:
			pause = poll
		}
		wait.Reset(pause)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-wait.C:
		}
	}
	return nil
}

// Next handles the next events, and reports whether there were any.
func (c *Consumer) Next(ctx context.Context) (bool, error) {
	after, err := c.Events.EventCursor(ctx, c.Name)
	if err != nil {
		return false, err
	}
	batch := c.Batch
	if batch == 0 {
		batch = 100
	}
	events, err := c.Events.Events(ctx, after, batch)
	if err != nil || len(events) == 0 {
		return false, err
	}
	if err := c.handle(ctx, events); err == nil || transient(err) {
		return true, err
	}
	// One of them is bad: the others must not suffer.
	for _, e := range events {
		if err := c.one(ctx, e); err != nil {
			return true, err
		}
	}
	return true, nil
}

// one handles one event, or passes over it if it can't be handled.
func (c *Consumer) one(ctx context.Context, e drydock.Event) error {
	err := c.handle(ctx, []drydock.Event{e})
	if err == nil || transient(err) {
		return err
	}
	c.Log.ErrorContext(ctx, "an event can't be handled and is passed over",
		"consumer", c.Name, "event", e.Number, "kind", e.Kind, "subject", e.Subject.String(), "error", err)
	return c.Events.MoveEventCursor(ctx, c.Name, e.Number)
}

func (c *Consumer) handle(ctx context.Context, events []drydock.Event) error {
	var created []drydock.RunRecord
	err := c.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if created, err = c.Handle(ctx, events); err != nil {
			return err
		}
		return c.Events.MoveEventCursor(ctx, c.Name, events[len(events)-1].Number)
	})
	if err != nil {
		return fmt.Errorf("events %d to %d: %w", events[0].Number, events[len(events)-1].Number, err)
	}
	if len(created) > 0 {
		c.Created(created...)
	}
	if c.Handled != nil {
		c.Handled()
	}
	return nil
}

// transient reports that the same may succeed later.
func transient(err error) bool {
	return drydock.CodeOf(err) == drydock.Unavailable || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// All handles the events that there are.
func (c *Consumer) All(ctx context.Context) error {
	for {
		if more, err := c.Next(ctx); err != nil || !more {
			return err
		}
	}
}
