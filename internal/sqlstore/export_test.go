package sqlstore

import (
	"context"
	"io/fs"
	"testing"
)

// SchemaFiles are the embedded schema.
var SchemaFiles fs.FS = schemaFiles

// Migrate brings a store's database to the newest version of another schema.
func Migrate(ctx context.Context, s *Store, files fs.FS) error { return s.migrate(ctx, files) }

// LimitSize returns a function that lets the database not grow, and grow again.
func LimitSize(t *testing.T, s *Store) func(limited bool) {
	t.Helper()
	return func(limited bool) {
		// A limit below the present size is one of the present size.
		pragma := `PRAGMA max_page_count = 1073741823`
		if limited {
			pragma = `PRAGMA max_page_count = 1`
		}
		if _, err := s.writer.ExecContext(t.Context(), pragma); err != nil {
			t.Fatal(err)
		}
	}
}
