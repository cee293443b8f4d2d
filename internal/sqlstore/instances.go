package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

var _ drydock.InstanceStore = (*Store)(nil)

// Instance implements drydock.InstanceStore.
func (s *Store) Instance(ctx context.Context, group drydock.ResourceID) (notes []byte, err error) {
	err = s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT notes FROM instances WHERE container_group = $1`, group.Key()).Scan(&notes)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, drydock.Errorf(drydock.NotFound, "there are no notes of the container group %s", group.Name())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the notes of %s: %w", group.Name(), err)
	}
	return notes, nil
}

// PutInstance implements drydock.InstanceStore.
func (s *Store) PutInstance(ctx context.Context, group drydock.ResourceID, notes []byte) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO instances (container_group, notes) VALUES ($1, $2)
			ON CONFLICT (container_group) DO UPDATE SET notes = excluded.notes`, group.Key(), nonNil(notes))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the notes of %s: %w", group.Name(), err)
	}
	return nil
}

// DeleteInstance implements drydock.InstanceStore.
func (s *Store) DeleteInstance(ctx context.Context, group drydock.ResourceID) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM instances WHERE container_group = $1`, group.Key())
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting the notes of %s: %w", group.Name(), err)
	}
	return nil
}
