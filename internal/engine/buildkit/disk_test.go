package buildkit_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// smallDisk mounts a file system of some megabytes for the test.
func smallDisk(t *testing.T, megabytes int64) string {
	t.Helper()
	dir := dataFolder(t)
	file, mounted := filepath.Join(dir, "disk"), filepath.Join(dir, "mounted")
	if err := os.Mkdir(mounted, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Truncate(megabytes << 20)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", file}, {"mount", "-o", "loop", file, mounted}} {
		if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	t.Cleanup(func() {
		// BuildKit keeps a blob open that it had no room to unpack.
		if err := unix.Unmount(mounted, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting the small disk: %v", err)
		}
	})
	return mounted
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	busybox := reg.Host + "/busybox"
	root := filepath.Join(smallDisk(t, 64), "data")
	var e *buildkit.Executor
	closeExecutor := func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	// Each run has an executor of its own, as one of `drydockd exec` has.
	open := func() (err error) {
		e, err = buildkit.New(t.Context(), buildkit.Config{Root: root, MaxCache: 1 << 40})
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	files := "-- Dockerfile --\nFROM " + busybox + "\nRUN echo built >/file\n" +
		"-- Dockerfile.full --\nFROM " + busybox + "\nRUN head -c 200000000 /dev/zero >/big\n" +
		"-- Dockerfile.copy --\nFROM scratch\nCOPY half /\nCOPY half /again\nCOPY half /and-again\n"
	r := openRun(t, e, files)
	wantError(t, r.buildError("-f", "Dockerfile.full", "."), drydock.Failed, "Dockerfile.full:2", "the disk is full", "prune")
	// What the run holds is free when the run has ended.
	r.close()
	closeExecutor()
	if err := open(); err != nil {
		t.Fatal(err)
	}
	r = openRun(t, e, files)
	c, out := r.box("writer", busybox, "sh", "-c", "head -c 200000000 /dev/zero >/workspace/big; status=$?; rm /workspace/big; exit $status")
	wantExit(t, r.Run(t.Context(), c), 1)
	// The kernel reports it as either, depending on when it notices.
	if text := out.String(); !strings.Contains(text, "No space left on device") && !strings.Contains(text, "I/O error") {
		t.Errorf("the step wrote %q", text)
	}
	r.run(busybox, "head -c 20000000 /dev/zero >half")
	wantError(t, r.buildError("-f", "Dockerfile.copy", "."), drydock.Failed, "no space left", "the disk is full", "prune")
	// To the last byte: what the executor itself writes has no room either.
	_, _ = r.tryRun(busybox, "cat /dev/zero >/workspace/rest")
	c, _ = r.box("starved", busybox, "true")
	err := r.Run(t.Context(), c)
	t.Logf("a container on a full disk: %v", err)
	if err != nil {
		wantError(t, err, drydock.Unavailable, "the disk is full", "prune")
	}
	r.close()

	// The next run has room once the cache is pruned.
	if _, err := e.Prune(t.Context(), buildkit.PruneOptions{All: true}); err != nil {
		t.Fatalf("Prune: %v", err)
	}
	r = openRun(t, e, files)
	r.build("-t", "made", ".")
	wantEqual(t, "output", r.run("made", "cat /file"), "built\n")
	r.close()
	closeExecutor()
}
