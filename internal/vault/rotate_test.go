package vault_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/drydockhq/drydock/internal/vault"
)

// rotation is one beside the server, as the command's is.
func (w *world) rotation() vault.Rotation { return vault.Rotation{Store: w.store, Open: w.opener} }

// Reads and writes go on while keys are replaced again and again.
func TestRotateWhileInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 20 {
		w.set(t, fmt.Sprint("s", i), fmt.Sprint("value-", i))
	}
	var done atomic.Bool
	var work sync.WaitGroup
	for reader := range 3 {
		work.Go(func() {
			for i := reader; !done.Load(); i = (i + 1) % 20 {
				s, err := w.Get(t.Context(), "box", fmt.Sprint("s", i), "", as(ann))
				if err != nil || s.Value != fmt.Sprint("value-", i) {
					t.Errorf("s%d: %v, %v", i, s, err)
					return
				}
			}
		})
	}
	var written atomic.Int64
	work.Go(func() {
		for !done.Load() {
			value := fmt.Sprint("late-", written.Load())
			if _, err := w.Set(t.Context(), "box", value, vault.Change{Value: &value}, as(ann)); err != nil {
				t.Error(err)
				return
			}
			written.Add(1)
		}
	})
	for range 4 {
		if n, err := w.rotation().Rotate(t.Context()); err != nil || n < 20 {
			t.Errorf("%d values, %v", n, err)
		}
	}
	done.Store(true)
	work.Wait()
	for i := range int(written.Load()) {
		w.want(t, fmt.Sprint("late-", i), "", fmt.Sprint("late-", i))
	}
	others, err := w.store.SealedByOthers(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range others[1:] {
		if v.SealKey != others[0].SealKey {
			t.Fatal("values are encrypted with several keys after a rotation")
		}
	}
}

// A rotation that is cut off before any of its steps loses nothing, and the next
// one ends it. Servers that start in between read all.
func TestRotateCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(t, "a", "first")
	w.set(t, "a", "second")
	w.set(t, "b", "third")
	backup, err := w.Backup(t.Context(), "box", "a", as(ann))
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	if _, err := (vault.Rotation{Store: w.store, Open: w.opener, Step: func() error { steps++; return nil }}).Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cut := errors.New("cut off")
	for at := range steps {
		n := 0
		r := w.rotation()
		r.Step = func() error {
			if n++; n > at {
				return cut
			}
			return nil
		}
		if _, err := r.Rotate(t.Context()); !errors.Is(err, cut) {
			t.Fatalf("step %d: %v", at, err)
		}
		keys, err := vault.OpenKeys(t.Context(), w.store, w.opener, "keys/vault.key")
		if err != nil {
			t.Fatalf("after a cut at step %d: %v", at, err)
		}
		w.config.Keys = keys
		w.Service = vault.NewService(w.config)
		w.want(t, "a", "", "second")
		w.want(t, "b", "", "third")
	}
	if n, err := w.rotation().Rotate(t.Context()); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	w.want(t, "a", "", "second")
	// Backups from before can still be restored.
	w.alter("else", func(v *drydockVault) {
		*v = w.vaults["box"]
		v.UID = "uid-of-else"
	})
	if _, err := w.Restore(t.Context(), "else", backup, as(ann)); err != nil {
		t.Fatal(err)
	}
	s, err := w.Get(t.Context(), "else", "a", "", as(ann))
	if err != nil || s.Value != "second" {
		t.Error(s, err)
	}
}

// The key can move to another file; the old one is of no use then.
func TestRotateToAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(t, "a", "kept")
	r := w.rotation()
	r.Wrapper = filepath.Join(t.TempDir(), "other.key")
	if _, err := r.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.want(t, "a", "", "kept")
	if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, "keys/vault.key"); err == nil {
		t.Error("the keys open as if nothing had changed")
	}
	if err := os.Remove(filepath.Join(w.opener.Dir, "keys/vault.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, r.Wrapper); err != nil {
		t.Error(err)
	}
	if err := os.Remove(r.Wrapper); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, r.Wrapper); err == nil {
		t.Error("the keys open without the file that they are encrypted with")
	}
}

// A file is the same however it is spelt, also when the data folder has moved.
func TestSpellingsOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(t, "a", "kept")
	link := filepath.Join(t.TempDir(), "data")
	if err := os.Symlink(w.opener.Dir, link); err != nil {
		t.Fatal(err)
	}
	spellings := []string{
		"keys/vault.key", "./keys//vault.key", "file://keys/vault.key", filepath.Join(w.opener.Dir, "keys/vault.key"),
		"file://" + filepath.Join(w.opener.Dir, "keys/vault.key"), filepath.Join(link, "keys/vault.key"),
	}
	moved := vault.Opener{Dir: filepath.Join(t.TempDir(), "moved")}
	for i, spelling := range spellings {
		r := w.rotation()
		r.Wrapper = spelling
		if _, err := r.Rotate(t.Context()); err != nil {
			t.Fatal(spelling, err)
		}
		for _, other := range spellings {
			if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, other); err != nil {
				t.Errorf("%s after %s: %v", other, spelling, err)
			}
		}
		if _, err := vault.OpenKeys(t.Context(), w.store, w.opener, "keys/other.key"); err == nil {
			t.Errorf("another file opens the keys after %s", spelling)
		}
		if err := os.CopyFS(moved.Dir+fmt.Sprint(i), os.DirFS(w.opener.Dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := vault.OpenKeys(t.Context(), w.store, vault.Opener{Dir: moved.Dir + fmt.Sprint(i)}, "keys/vault.key"); err != nil {
			t.Errorf("in another folder after %s: %v", spelling, err)
		}
	}
	w.want(t, "a", "", "kept")
}

// What is in the database tells nothing of a value, and can't be moved.
func TestSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(t, "a", "the value of a")
	w.set(t, "b", "the value of b")
	raw, err := w.store.SealedByOthers(t.Context(), 0, 10)
	if err != nil || len(raw) != 2 {
		t.Fatal(raw, err)
	}
	for _, v := range raw {
		if bytes.Contains(v.Sealed, []byte("value")) {
			t.Error("a value is in the database as it is")
		}
	}
	moved := raw[0]
	moved.Sealed = raw[1].Sealed
	if err := w.store.Reseal(t.Context(), moved, moved.SealKey); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(t.Context(), "box", moved.Name, "", as(ann)); err == nil {
		t.Error("a value that was moved to another secret can be read there")
	}
	text, err := os.ReadFile(filepath.Join(w.opener.Dir, "keys/vault.key"))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(w.opener.Dir, "keys/vault.key"))
	if err != nil || info.Mode().Perm() != 0o600 || len(text) == 0 {
		t.Error(info.Mode(), err)
	}
}
