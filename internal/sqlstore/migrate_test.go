package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

func TestOpenRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	open(t, path)
	raw(t, path, `INSERT INTO schema_versions (number, sum, applied) VALUES (99, 'x', 0)`)
	_, err := sqlstore.Open(t.Context(), path)
	if drydock.CodeOf(err) != drydock.Conflict || !strings.Contains(err.Error(), "schema version 99") {
		t.Errorf("got %v, want a Conflict that names version 99", err)
	}
}

func TestOpenRefusesAnUnreleasedSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	open(t, path)
	raw(t, path, `UPDATE schema_versions SET sum = 'x'`)
	_, err := sqlstore.Open(t.Context(), path)
	if drydock.CodeOf(err) != drydock.Conflict || !strings.Contains(err.Error(), "never released") {
		t.Errorf("got %v, want a Conflict", err)
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := sqlstore.Open(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOpenMakesAPrivateFileOfAnyName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b%20?x=1#é")
	s := open(t, path)
	if err := s.PutSetting(t.Context(), "key", nil); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", info.Name(), info.Mode())
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	garbage := filepath.Join(folder, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "none", "db"), garbage} {
		_, err := sqlstore.Open(t.Context(), path)
		if err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
}

// raw runs a statement behind the store's back.
func raw(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
