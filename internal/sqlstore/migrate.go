package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"time"

	"github.com/drydockhq/drydock"
)

// schemaFiles are named by the version that they belong to and a noun. Those
// of a version that was released never change.
//
//go:embed schema/*.sql
var schemaFiles embed.FS

// version is one step of the schema.
type version struct {
	number     int
	statements string
	sum        string // of the statements
}

// versions reads a schema, in order.
func versions(files fs.FS) ([]version, error) {
	entries, err := fs.ReadDir(files, "schema")
	if err != nil {
		return nil, err
	}
	var vs []version
	for _, e := range entries {
		number, err := strconv.Atoi(e.Name()[:4])
		if err != nil {
			return nil, fmt.Errorf("schema file %s: %w", e.Name(), err)
		}
		text, err := fs.ReadFile(files, path.Join("schema", e.Name()))
		if err != nil {
			return nil, err
		}
		if len(vs) == 0 || vs[len(vs)-1].number != number {
			vs = append(vs, version{number: number})
		}
		vs[len(vs)-1].statements += string(text) + "\n"
	}
	for i := range vs {
		sum := sha256.Sum256([]byte(vs[i].statements))
		vs[i].sum = hex.EncodeToString(sum[:])
	}
	return vs, nil
}

// migrate brings the database to the newest version of a schema, each version in
// a transaction.
func (s *Store) migrate(ctx context.Context, files fs.FS) error {
	vs, err := versions(files)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_versions (
			number INTEGER PRIMARY KEY, sum TEXT NOT NULL, applied BIGINT NOT NULL)`)
		if err != nil {
			return err
		}
		return refuseNewer(ctx, tx, vs[len(vs)-1].number)
	})
	if err != nil {
		return err
	}
	for _, v := range vs {
		if err := s.write(ctx, func(tx *sql.Tx) error { return v.apply(ctx, tx) }); err != nil {
			return fmt.Errorf("schema version %d: %w", v.number, err)
		}
	}
	return nil
}

func refuseNewer(ctx context.Context, tx *sql.Tx, newest int) error {
	var found int
	err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) FROM schema_versions`).Scan(&found)
	if err != nil {
		return err
	}
	if found > newest {
		return drydock.Errorf(drydock.Conflict, "the database has schema version %d and this program knows up to %d", found, newest).
			WithHint("run a newer drydockd, or restore a backup that was made before the upgrade")
	}
	return nil
}

func (v version) apply(ctx context.Context, tx *sql.Tx) error {
	var sum string
	err := tx.QueryRowContext(ctx, `SELECT sum FROM schema_versions WHERE number = $1`, v.number).Scan(&sum)
	switch {
	case err == nil && sum != v.sum:
		return drydock.Errorf(drydock.Conflict, "the database was made by a build that was never released").
			WithHint("start with an empty data folder")
	case err == nil:
		return nil
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if _, err := tx.ExecContext(ctx, v.statements); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO schema_versions (number, sum, applied) VALUES ($1, $2, $3)`,
		v.number, v.sum, time.Now().UnixNano())
	return err
}
