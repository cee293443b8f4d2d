package blobs_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock/internal/blobs"
)

// fullDisk returns a folder on a disk of a megabyte, and what fills and empties
// that.
func fullDisk(t *testing.T) (dir string, fill func(), empty func()) {
	t.Helper()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal("mounting a disk (this test needs root): ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(disk, "ballast")
	fill = func() {
		t.Helper()
		if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o600); !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
			t.Fatal(err)
		}
	}
	return filepath.Join(disk, "blobs"), fill, func() {
		t.Helper()
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALogWaitsForRoomOnTheDisk(t *testing.T) {
	t.Parallel()
	dir, fill, empty := fullDisk(t)
	f, err := blobs.OpenFolder(dir, blobs.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	logKey := blobs.Key{Container: "logs-1", Name: "ca1"}
	a, err := f.Append(t.Context(), logKey, blobs.Attributes{})
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Repeat("x", 8191) + "\n"
	write(t, a, "one\n")
	fill()
	write(t, a, page+"two\n")
	write(t, a, "three\n")
	empty()
	write(t, a, "four\n")
	if text := content(t, f, logKey); text != "one\n"+page+"two\nthree\nfour\n" {
		t.Errorf("the log has %q", text)
	}
	fill()
	// There is an end to what is kept in memory.
	write(t, a, page)
	if n, err := a.Write(make([]byte, 5<<20)); err == nil || n != 0 {
		t.Errorf("5 MB were taken: %d", n)
	}
	if n, err := a.Write([]byte("six\n")); err == nil {
		t.Errorf("what comes after a gap was taken: %d", n)
	}
	empty()
	write(t, a, "seven\n")
	fill()
	write(t, a, page)
	empty()
	if err := a.Seal(nil); err != nil {
		t.Fatal(err)
	}
	text := content(t, f, logKey)
	_, rest, _ := strings.Cut(text, "four\n")
	if want := page + "\r\n(the disk of the server was full: 5242884 bytes of this log are missing)\r\nseven\n" + page; rest != want {
		t.Errorf("after four the log has %q", strings.ReplaceAll(rest, page, "PAGE"))
	}
}
