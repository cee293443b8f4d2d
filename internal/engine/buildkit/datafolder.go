package buildkit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// openDataFolder makes the data folder and takes it for this process; the lock ends
// with the process. It returns the folder's real path, which is what mounts
// are listed by.
func openDataFolder(ctx context.Context, config Config) (root string, lock *os.File, err error) {
	// The files of runs are none of other users' business, and may be setuid.
	if err := os.MkdirAll(config.Root, 0o700); err != nil {
		return "", nil, unwritable(config.Root, err)
	}
	if root, err = filepath.Abs(config.Root); err != nil {
		return "", nil, unwritable(config.Root, err)
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return "", nil, unwritable(config.Root, err)
	}
	lock, err = os.OpenFile(filepath.Join(root, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", nil, unwritable(root, err)
	}
	if err := takeLock(ctx, lock, config); err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	return root, lock, nil
}

// takeLock locks the data folder. Where another process has it, it is refused or
// waited for, as the configuration says.
func takeLock(ctx context.Context, lock *os.File, config Config) error {
	const pause = 50 * time.Millisecond
	for said := false; ; {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return drydock.Errorf(drydock.Unavailable, "locking the data folder %s: %w", config.Root, err)
		case !config.Wait:
			return inUse(config.Root)
		case !said:
			config.Warn("waiting for another drydockd, which uses the data folder %s", config.Root)
			said = true
		}
		// flock itself can wait, but not until a context ends.
		select {
		case <-ctx.Done():
			return errors.Join(inUse(config.Root), context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// diskFull reports whether next to nothing can be written to a folder.
func diskFull(dir string) bool {
	const little = 4 << 20
	var stat unix.Statfs_t
	return unix.Statfs(dir, &stat) == nil && stat.Bavail*uint64(stat.Bsize) < little
}

// explainFull says of an error that the disk is full, if it is.
func explainFull(ctx context.Context, config Config, err error) error {
	if err == nil || ctx.Err() != nil || !errors.Is(err, unix.ENOSPC) && !diskFull(config.Root) {
		return err
	}
	var exit *drydock.ExitError
	if errors.As(err, &exit) {
		if exit.Reason == "" {
			exit.Reason = "the disk is full"
		}
		return err
	}
	full := drydock.Errorf(drydock.Unavailable, "%w", err)
	var known *drydock.Error
	if errors.As(err, &known) && known.Hint != "" {
		full.Message = known.Message // without the hint for any other cause
	}
	return full.WithHint("%s", config.Advice.fullDisk())
}

func inUse(folder string) *drydock.Error {
	return drydock.Errorf(drydock.Unavailable, "another drydockd uses the data folder %s", folder).
		WithHint("wait for it, or choose another with --data")
}

func unwritable(folder string, err error) *drydock.Error {
	e := drydock.Errorf(drydock.Unavailable, "making the data folder %s: %w", folder, err).
		WithHint("choose another with --data")
	if errors.Is(err, unix.ENOSPC) {
		e.Hint = "the disk is full; free some space, or choose another folder with --data"
	}
	return e
}
