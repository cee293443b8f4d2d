package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
)

// Backup writes the database as it is at this moment to a new file, while the
// store is in use. The file is complete when it appears. If there is one
// already, the error has code Conflict.
func (s *Store) Backup(ctx context.Context, path string) error {
	return BackupFile(ctx, s.path, path)
}

// BackupFile does what Store's Backup does, for a database that another process
// may have open, whatever version its schema has.
func BackupFile(ctx context.Context, database, path string) error {
	if err := backupFile(ctx, database, path); err != nil {
		return fmt.Errorf("backing the database up to %s: %w", path, err)
	}
	return nil
}

func backupFile(ctx context.Context, database, path string) (err error) {
	if _, err := os.Stat(database); err != nil {
		return drydock.Errorf(drydock.NotFound, "there is no database: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "%w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := vacuumInto(ctx, database, f.Name()); err != nil {
		return translate(err)
	}
	if err := f.Sync(); err != nil {
		return drydock.Errorf(drydock.Unavailable, "%w", err)
	}
	// Unlike a rename, a link never replaces a file.
	if err := os.Link(f.Name(), path); errors.Is(err, fs.ErrExist) {
		return drydock.Errorf(drydock.Conflict, "there is such a file already")
	} else if err != nil {
		return drydock.Errorf(drydock.Unavailable, "%w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// vacuumInto writes one state of a database into an empty file.
func vacuumInto(ctx context.Context, database, path string) error {
	database, err := filepath.Abs(database)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dataSource(database, "deferred", false))
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `VACUUM INTO $1`, path)
	return errors.Join(err, db.Close())
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
