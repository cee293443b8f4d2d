package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/drydockhq/drydock"
)

const selectDelivery = `SELECT d.number, d.id, resources.id, d.action, d.body, d.created,
		d.attempts, d.next, d.blocks, d.taken, d.last
	FROM deliveries d JOIN resources ON resources.key = d.owner`

// AddDelivery implements drydock.DeliveryStore.
func (s *Store) AddDelivery(ctx context.Context, d drydock.Delivery) error {
	err := s.write(ctx, func(tx *sql.Tx) error { return s.addDelivery(ctx, tx, d) })
	if err != nil {
		return fmt.Errorf("storing a delivery: %w", err)
	}
	return nil
}

func (s *Store) addDelivery(ctx context.Context, tx *sql.Tx, d drydock.Delivery) error {
	var last, waiting int64
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM deliveries`).Scan(&last)
	if err != nil {
		return err
	}
	err = tx.QueryRowContext(ctx, `SELECT next FROM deliveries
		WHERE owner = $1 AND next <> 0 AND blocks <> 0 ORDER BY number LIMIT 1`, d.Owner.Key()).Scan(&waiting)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	added, err := affectsOne(ctx, tx, `INSERT INTO deliveries
			(number, id, owner, action, body, created, attempts, next, blocks, taken)
		VALUES ($1, $2, $3, $4, $5, $6, 0, $7, 1, 0) ON CONFLICT (id) DO NOTHING`,
		last+1, d.ID, d.Owner.Key(), d.Action, nonNil(d.Body), nanos(d.Created), max(nanos(d.Created), waiting))
	if breaksForeignKey(err) {
		return drydock.Errorf(drydock.NotFound, "there is no resource %s", d.Owner)
	}
	if added {
		s.deliveries.appended(tx)
	}
	return err
}

// DueDeliveries implements drydock.DeliveryStore.
func (s *Store) DueDeliveries(ctx context.Context, now time.Time, limit int) (due []drydock.Delivery, next time.Time, err error) {
	err = s.read(ctx, func(tx *sql.Tx) (err error) {
		due, err = list(ctx, tx, scanDelivery, selectDelivery+` WHERE d.next <= $1 AND d.number IN (
				SELECT MIN(number) FROM deliveries WHERE next <> 0 AND blocks <> 0 GROUP BY owner
				UNION ALL SELECT number FROM deliveries WHERE next <> 0 AND next <= $1 AND blocks = 0)
			ORDER BY d.next, d.number LIMIT $2`, nanos(now), limit)
		if err != nil {
			return err
		}
		var first int64
		err = tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(next), 0) FROM deliveries WHERE next <> 0 AND next > $1`,
			nanos(now)).Scan(&first)
		next = fromNanos(first)
		return err
	})
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("reading deliveries: %w", err)
	}
	return due, next, nil
}

// UpdateDelivery implements drydock.DeliveryStore.
func (s *Store) UpdateDelivery(ctx context.Context, d drydock.Delivery) error {
	last, err := json.Marshal(d.Last)
	if err != nil {
		return fmt.Errorf("writing an attempt: %w", err)
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET attempts = $2, next = $3, blocks = $4, taken = $5, last = $6
			WHERE number = $1`, d.Number, d.Attempts, nanos(d.Next), number(d.Blocks), nanos(d.Taken), last)
		if err != nil || !d.Blocks || d.Next.IsZero() {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE deliveries SET next = $3
			WHERE owner = $1 AND number > $2 AND next <> 0 AND next < $3 AND blocks <> 0`, d.Owner.Key(), d.Number, nanos(d.Next))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing a delivery: %w", err)
	}
	return nil
}

// Deliveries implements drydock.DeliveryLog.
func (s *Store) Deliveries(ctx context.Context, owner drydock.ResourceID, limit int) ([]drydock.Delivery, error) {
	var found []drydock.Delivery
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanDelivery, selectDelivery+` WHERE d.owner = $1 ORDER BY d.number DESC LIMIT $2`, owner.Key(), limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading deliveries: %w", err)
	}
	return found, nil
}

// HastenDeliveries implements drydock.DeliveryLog.
func (s *Store) HastenDeliveries(ctx context.Context, owner drydock.ResourceID, now time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		hastened, err := affectsOne(ctx, tx, `UPDATE deliveries SET next = $2 WHERE owner = $1 AND next > $2`, owner.Key(), nanos(now))
		if hastened {
			s.deliveries.appended(tx)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("hastening deliveries: %w", err)
	}
	return nil
}

// DeleteDeliveries implements drydock.DeliveryLog.
func (s *Store) DeleteDeliveries(ctx context.Context, before time.Time, keep int) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE next = 0 AND (created < $1 OR number IN
			(SELECT number FROM (SELECT number, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY number DESC) AS place
				FROM deliveries WHERE next = 0) AS done WHERE place > $2))`, nanos(before), keep)
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting old deliveries: %w", err)
	}
	return nil
}

func scanDelivery(row scanner) (drydock.Delivery, error) {
	var (
		d                    drydock.Delivery
		owner                string
		last                 []byte
		created, next, taken int64
		blocks               int
	)
	if err := row.Scan(&d.Number, &d.ID, &owner, &d.Action, &d.Body, &created, &d.Attempts, &next, &blocks, &taken, &last); err != nil {
		return drydock.Delivery{}, err
	}
	d.Created, d.Next, d.Taken, d.Blocks = fromNanos(created), fromNanos(next), fromNanos(taken), blocks != 0
	if last != nil {
		if err := json.Unmarshal(last, &d.Last); err != nil {
			return drydock.Delivery{}, fmt.Errorf("reading the last attempt of delivery %s: %w", d.ID, err)
		}
	}
	var err error
	d.Owner, err = resourceID(owner)
	return d, err
}
