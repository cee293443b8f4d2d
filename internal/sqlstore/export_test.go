package sqlstore

import "testing"

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
