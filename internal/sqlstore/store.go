package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/drydockhq/drydock"
)

var (
	_ drydock.AuditStore         = (*Store)(nil)
	_ drydock.CommitStatusStore  = (*Store)(nil)
	_ drydock.DeletedVaultStore  = (*Store)(nil)
	_ drydock.DeliveryLog        = (*Store)(nil)
	_ drydock.DeliveryStore      = (*Store)(nil)
	_ drydock.EventStore         = (*Store)(nil)
	_ drydock.ImagePollStore     = (*Store)(nil)
	_ drydock.RegistryPauseStore = (*Store)(nil)
	_ drydock.PrincipalStore     = (*Store)(nil)
	_ drydock.ResourceStore      = (*Store)(nil)
	_ drydock.RoleStore          = (*Store)(nil)
	_ drydock.RunStore           = (*Store)(nil)
	_ drydock.SealedStore        = (*Store)(nil)
	_ drydock.SecretStore        = (*Store)(nil)
	_ drydock.SettingStore       = (*Store)(nil)
	_ drydock.SourceWatchStore   = (*Store)(nil)
	_ drydock.TimerStore         = (*Store)(nil)
	_ drydock.Transactor         = (*Store)(nil)
)

// readers is how many reads can go on at a time, beside the one writer.
const readers = 8

// Store is an open database. Its methods may be called from several goroutines,
// and several processes may have the same database open. Errors of the machine
// have code Unavailable: a full disk, a database that stays locked.
type Store struct {
	path   string
	writer *sql.DB // one connection: SQLite has one writer at a time
	reader *sql.DB
	events eventSignal
	// deliveries is the same for deliveries.
	deliveries eventSignal
}

// Open opens the database in a file, which it makes if it is not there, and
// brings its schema up to date. A schema that is newer than this program is an
// error with code Conflict. The caller closes the store.
func Open(ctx context.Context, path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if err := createPrivate(path); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "opening the database: %w", err)
	}
	s := &Store{path: path}
	if s.writer, err = sql.Open("sqlite", dataSource(path, "immediate", false)); err != nil {
		return nil, fmt.Errorf("opening the database %s: %w", path, err)
	}
	s.writer.SetMaxOpenConns(1)
	if s.reader, err = sql.Open("sqlite", dataSource(path, "deferred", true)); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, err), s.writer.Close())
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	s.reader.SetConnMaxIdleTime(5 * time.Minute)
	if err := s.migrate(ctx, schemaFiles); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, err), s.Close())
	}
	return s, nil
}

// Close waits for what is going on and closes the database.
func (s *Store) Close() error {
	return errors.Join(s.reader.Close(), s.writer.Close())
}

// createPrivate makes the file if it is not there: keys are in it, so it is for
// its owner alone. SQLite gives the files that it puts beside it the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// dataSource returns the name by which the driver opens a database.
//
// Commits are synced to the disk (synchronous=FULL). NORMAL would do for a
// process that is killed; but after a power cut the last runs and tags that a
// client was told of would be gone, and their numbers be given out again.
func dataSource(path, lock string, readOnly bool) string {
	pragmas := []string{
		"busy_timeout(1000)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"journal_size_limit(67108864)",
		"temp_store(MEMORY)",
	}
	if readOnly {
		pragmas = append(pragmas, "query_only(1)")
	}
	query := url.Values{"_pragma": pragmas, "_txlock": {lock}}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}
