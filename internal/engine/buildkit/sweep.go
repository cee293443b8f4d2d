package buildkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/sys/mountinfo"
)

// sweep kills the containers of an earlier process, unmounts what it had
// mounted and removes its folders. Its caches stay.
func (r *runtime) sweep() error {
	if err := r.removeGroup(); err != nil {
		return err
	}
	if err := r.forgetContainers(); err != nil {
		return err
	}
	if err := errors.Join(unmountBelow(r.memory), unmountBelow(r.root)); err != nil {
		return err
	}
	return errors.Join(
		os.RemoveAll(r.dir),
		os.RemoveAll(r.memory),
		r.removeTemp(),
		// The bundles of RUN instructions, which BuildKit makes anew.
		os.RemoveAll(filepath.Join(r.root, "runc-overlayfs", "executor")),
	)
}

// unmountBelow unmounts all that is mounted in a folder, the last mount first.
func unmountBelow(dir string) error {
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(dir))
	if err != nil {
		return fmt.Errorf("reading the mounts: %w", err)
	}
	for _, m := range slices.Backward(mounts) {
		if m.Mountpoint == dir {
			continue
		}
		if err := unmount(m.Mountpoint); err != nil {
			return err
		}
	}
	return nil
}

// buildState is where runc keeps the state of BuildKit's containers, and of
// everybody else's.
const buildState = "/run/runc"

// forgetContainers makes runc forget the containers of RUN instructions: those
// with their files below our folder.
func (r *runtime) forgetContainers() error {
	states, err := filepath.Glob(filepath.Join(buildState, "*", "state.json"))
	if err != nil {
		return err
	}
	for _, file := range states {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it went away since
		}
		var state struct{ Config struct{ Rootfs string } }
		if json.Unmarshal(data, &state) != nil || !strings.HasPrefix(state.Config.Rootfs, r.root+"/") {
			continue
		}
		id := filepath.Base(filepath.Dir(file))
		if out, err := exec.Command(r.machine.runc, "delete", "--force", id).CombinedOutput(); err != nil {
			return fmt.Errorf("deleting container %s of a killed build: %w: %s", id, err, out)
		}
	}
	return nil
}
