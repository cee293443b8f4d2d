package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/drydockhq/drydock"
)

// Setting implements drydock.SettingStore.
func (s *Store) Setting(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		value, err = setting(ctx, tx, name)
		return err
	})
	return value, err
}

// AddSetting implements drydock.SettingStore.
func (s *Store) AddSetting(ctx context.Context, name string, value []byte) ([]byte, error) {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO NOTHING`, name, nonNil(value))
		if err != nil {
			return fmt.Errorf("storing the setting %s: %w", name, err)
		}
		value, err = setting(ctx, tx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return value, nil
}

// PutSetting implements drydock.SettingStore.
func (s *Store) PutSetting(ctx context.Context, name string, value []byte) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, nonNil(value))
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the setting %s: %w", name, err)
	}
	return nil
}

func setting(ctx context.Context, tx *sql.Tx, name string) ([]byte, error) {
	var value []byte
	err := tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, drydock.Errorf(drydock.NotFound, "there is no setting %s", name)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the setting %s: %w", name, err)
	}
	return value, nil
}

// nonNil returns value as something that is not NULL.
func nonNil(value []byte) []byte {
	if value == nil {
		return []byte{}
	}
	return value
}
