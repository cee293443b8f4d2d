package buildkit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/mount"
)

// tempName is the folder, below the data folder, of what BuildKit and containerd
// make for a moment. It is swept with the rest, mounts included: what a killed
// process left in the machine's own would stay there for ever.
const tempName = "tmp"

// tempVariable names the folder for temporary files; see os.TempDir.
const tempVariable = "TMPDIR"

// tempFolder is where a process has its temporary files.
type tempFolder struct {
	former string // the value of the variable before
	had    bool
}

// moveTemp has the process make its temporary files and mounts below the data
// folder. They are named by a short way there: the path of a socket has 107
// bytes at the most.
func (r *runtime) moveTemp() (*tempFolder, error) {
	dir, short := filepath.Join(r.root, tempName), filepath.Join(r.memory, tempName)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, unwritable(dir, err)
	}
	if err := os.Symlink(dir, short); err != nil {
		return nil, fmt.Errorf("making the folder for temporary files: %w", err)
	}
	t := &tempFolder{}
	t.former, t.had = os.LookupEnv(tempVariable)
	if err := os.Setenv(tempVariable, short); err != nil {
		return nil, fmt.Errorf("naming the folder for temporary files: %w", err)
	}
	if err := mount.SetTempMountLocation(dir); err != nil {
		return t, fmt.Errorf("naming the folder for temporary mounts: %w", err)
	}
	return t, nil
}

// restore has the process make its temporary files where it did.
func (t *tempFolder) restore() error {
	if !t.had {
		return errors.Join(os.Unsetenv(tempVariable), mount.SetTempMountLocation(os.TempDir()))
	}
	return errors.Join(os.Setenv(tempVariable, t.former), mount.SetTempMountLocation(t.former))
}

// removeTemp unmounts and removes what is in the folder for temporary files.
func (r *runtime) removeTemp() error {
	dir := filepath.Join(r.root, tempName)
	return errors.Join(unmountBelow(dir), os.RemoveAll(dir))
}
