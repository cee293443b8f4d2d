package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/vault"
)

// onWrite calls something for each text that is written.
type onWrite func()

// Write implements io.Writer.
func (f onWrite) Write(p []byte) (int, error) {
	f()
	return len(p), nil
}

// Who waits for the keys gets them when what replaced them has closed the
// database: its log is in the file by then.
func TestKeysAreLockedUntilTheStoreIsClosed(t *testing.T) {
	t.Parallel()
	b, dir := newBench(t), t.TempDir()
	file := filepath.Join(dir, databaseFile)
	store, err := sqlstore.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenKeys(t.Context(), store, vault.Opener{Dir: dir}, "keys/vault.key"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	lock, err := os.Create(filepath.Join(dir, keysLock))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	locked, wrote := make(chan error, 1), 0
	b.program.stdout = onWrite(func() {
		wrote++
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
			t.Errorf("the keys are not locked: %v", err)
		}
		go func() {
			err := unix.Flock(int(lock.Fd()), unix.LOCK_EX)
			if err == nil {
				_, err = os.Stat(file + "-wal") // SQLite removes it with the last connection
			}
			locked <- err
		}()
	})
	if err := b.rotateKeys(t.Context(), dir, ""); err != nil || wrote != 1 {
		t.Fatalf("%v; it wrote %d times", err, wrote)
	}
	if err := <-locked; !errors.Is(err, fs.ErrNotExist) {
		t.Error("the database was open still: ", err)
	}
}
