package buildkit

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	mounts, err := mountinfo.GetMounts(mountinfo.PrefixFilter(r.root))
	if err != nil {
		return fmt.Errorf("reading the mounts: %w", err)
	}
	for i := len(mounts) - 1; i >= 0; i-- {
		if mounts[i].Mountpoint == r.root {
			continue
		}
		if err := unmount(mounts[i].Mountpoint); err != nil {
			return err
		}
	}
	return errors.Join(
		os.RemoveAll(r.dir),
		// The bundles of RUN instructions, which BuildKit makes anew.
		os.RemoveAll(filepath.Join(r.root, "runc-overlayfs", "executor")),
	)
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
