package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// Writers go on while the backup is made; it holds all from before it began,
// and nothing in half.
func TestBackupOfALiveStore(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "drydock.db"))
	put := func(from, to int) {
		for i := from; i < to; i++ {
			e := drydock.Event{ID: fmt.Sprint(i), Data: make([]byte, 4096)}
			if _, err := s.AppendEvent(t.Context(), e); err != nil {
				t.Error(err)
			}
		}
	}
	put(0, 100)
	var wg sync.WaitGroup
	wg.Go(func() { put(100, 300) })
	path := filepath.Join(folder, "a backup")
	err := s.Backup(t.Context(), path)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the backup has mode %v", info.Mode())
	}

	restored := open(t, path)
	events, err := restored.Events(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) < 100 {
		t.Errorf("the backup has %d events of at least 100", len(events))
	}
	next, err := restored.AppendEvent(t.Context(), drydock.Event{ID: "next"})
	if err != nil {
		t.Fatal(err)
	}
	if next.Number != int64(len(events)+1) {
		t.Errorf("after %d events comes number %d", len(events), next.Number)
	}
	if err := s.PutSetting(t.Context(), "still", []byte("works")); err != nil {
		t.Errorf("after the backup: %v", err)
	}
}

// Of a database that was left by a process that was killed, and that has a
// schema from the future.
func TestBackupFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	database, path := filepath.Join(folder, "drydock.db"), filepath.Join(folder, "backup")
	told := writeAndKill(t, database, 20)
	raw(t, database, `INSERT INTO schema_versions (number, sum, applied) VALUES (99, 'x', 0)`)
	if err := sqlstore.BackupFile(t.Context(), database, path); err != nil {
		t.Fatal(err)
	}
	raw(t, path, `DELETE FROM schema_versions WHERE number = 99`)
	events, err := open(t, path).Events(t.Context(), 0, 1000)
	if err != nil || len(events) < told {
		t.Errorf("the backup has %d events of %d (%v)", len(events), told, err)
	}
	err = sqlstore.BackupFile(t.Context(), filepath.Join(folder, "none"), filepath.Join(folder, "other"))
	if drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("of no database: %v", err)
	}
}

func TestBackupReplacesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := open(t, filepath.Join(folder, "drydock.db"))
	path := filepath.Join(folder, "precious")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), path); drydock.CodeOf(err) != drydock.Conflict {
		t.Errorf("got %v, want a Conflict", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(folder, "none", "x")); drydock.CodeOf(err) != drydock.Unavailable {
		t.Errorf("got %v, want Unavailable", err)
	}
	entries, err := filepath.Glob(filepath.Join(folder, ".backup-*"))
	if err != nil || len(entries) > 0 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Errorf("the file that was there holds %q (%v)", text, err)
	}
}
