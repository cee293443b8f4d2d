package sqlstore

import (
	"context"
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
	if err := s.backup(ctx, path); err != nil {
		return fmt.Errorf("backing the database up to %s: %w", path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "%w", err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	conn, err := s.reader.Conn(ctx)
	if err != nil {
		return translate(err)
	}
	defer conn.Close()
	// The connection goes back to the pool as it was.
	if _, err := conn.ExecContext(ctx, `PRAGMA query_only = 0`); err != nil {
		return translate(err)
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA query_only = 1`)
	if _, err := conn.ExecContext(ctx, `VACUUM INTO $1`, f.Name()); err != nil {
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

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
