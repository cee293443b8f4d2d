package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

const selectEvent = `SELECT number, id, kind, subject, data, time FROM events`

// AppendEvent implements drydock.EventStore.
func (s *Store) AppendEvent(ctx context.Context, e drydock.Event) (drydock.Event, error) {
	var stored drydock.Event
	err := s.write(ctx, func(tx *sql.Tx) (err error) {
		stored, err = s.appendEvent(ctx, tx, e)
		return err
	})
	if err != nil {
		return drydock.Event{}, fmt.Errorf("storing an event: %w", err)
	}
	return stored, nil
}

// Events implements drydock.EventStore.
func (s *Store) Events(ctx context.Context, after int64, limit int) ([]drydock.Event, error) {
	var found []drydock.Event
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanEvent, selectEvent+` WHERE number > $1 ORDER BY number LIMIT $2`, after, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	return found, nil
}

// LastEvent returns the number of the last event; 0 for none.
func (s *Store) LastEvent(ctx context.Context) (int64, error) {
	var number int64
	err := s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT last FROM event_numbers`).Scan(&number)
	})
	if err != nil {
		return 0, fmt.Errorf("reading the number of the last event: %w", err)
	}
	return number, nil
}

// EventCursor implements drydock.EventStore.
func (s *Store) EventCursor(ctx context.Context, consumer string) (int64, error) {
	var number int64
	err := s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM event_cursors WHERE consumer = $1`,
			consumer).Scan(&number)
	})
	if err != nil {
		return 0, fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	return number, nil
}

// MoveEventCursor implements drydock.EventStore.
func (s *Store) MoveEventCursor(ctx context.Context, consumer string, number int64) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO event_cursors (consumer, number) VALUES ($1, $2)
			ON CONFLICT (consumer) DO UPDATE SET number = excluded.number
			WHERE event_cursors.number < excluded.number`, consumer, number)
		return err
	})
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
	}
	return nil
}

// DeleteEvents implements drydock.EventStore.
func (s *Store) DeleteEvents(ctx context.Context, before time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM events WHERE time < $1
			AND NOT EXISTS (SELECT 1 FROM event_cursors WHERE event_cursors.number < events.number)`, nanos(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting old events: %w", err)
	}
	return nil
}

// appendEvent writes an event in the transaction of what it tells of.
func (s *Store) appendEvent(ctx context.Context, tx *sql.Tx, e drydock.Event) (drydock.Event, error) {
	old, err := scanEvent(tx.QueryRowContext(ctx, selectEvent+` WHERE id = $1`, e.ID))
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return old, err
	}
	err = tx.QueryRowContext(ctx, `UPDATE event_numbers SET last = last + 1 WHERE one = 1 RETURNING last`).Scan(&e.Number)
	if err != nil {
		return e, err
	}
	s.events.appended(tx)
	_, err = tx.ExecContext(ctx, `INSERT INTO events (number, id, kind, subject, data, time)
		VALUES ($1, $2, $3, $4, $5, $6)`, e.Number, e.ID, e.Kind, idText(e.Subject), e.Data, nanos(e.Time))
	return e, err
}

func scanEvent(row scanner) (drydock.Event, error) {
	var (
		e       drydock.Event
		subject string
		at      int64
	)
	if err := row.Scan(&e.Number, &e.ID, &e.Kind, &subject, &e.Data, &at); err != nil {
		return drydock.Event{}, err
	}
	e.Time = fromNanos(at)
	var err error
	e.Subject, err = resourceID(subject)
	return e, err
}
