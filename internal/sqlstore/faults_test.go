package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// A writer waits while another process has the database locked, readers don't.
func TestLockedByAnotherProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "drydock.db")
	s := open(t, path)
	release := lock(t, path)
	done := make(chan error)
	go func() { done <- s.PutSetting(t.Context(), "a", []byte("1")) }()
	if _, err := s.Setting(t.Context(), "a"); drydock.CodeOf(err) != drydock.NotFound {
		t.Errorf("reading beside the lock: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { done <- s.PutSetting(ctx, "b", nil) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a writer that gave up: %v", err)
	}
	release()
	if err := <-done; err != nil {
		t.Errorf("a writer that waited: %v", err)
	}
}

// lock takes the database's write lock until it is released.
func lock(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := errors.Join(tx.Rollback(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// A full disk fails the write, with a code that says whose turn it is, and
// harms nothing; when there is room again, writing goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), "drydock.db"))
	if err := s.PutSetting(t.Context(), "a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	limit := sqlstore.LimitSize(t, s)
	limit(true)
	err := s.PutSetting(t.Context(), "a", make([]byte, 1<<20))
	if drydock.CodeOf(err) != drydock.Unavailable || !strings.Contains(err.Error(), "disk") {
		t.Errorf("got %v, want Unavailable", err)
	}
	got, err := s.Setting(t.Context(), "a")
	if err != nil || string(got) != "1" {
		t.Errorf("after the disk was full there is %q (%v)", got, err)
	}
	limit(false)
	if err := s.PutSetting(t.Context(), "a", make([]byte, 1<<20)); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestClosedStore(t *testing.T) {
	t.Parallel()
	s, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "drydock.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Setting(t.Context(), "a"); err == nil || drydock.CodeOf(err) == drydock.NotFound {
		t.Errorf("a closed store says %v", err)
	}
}
