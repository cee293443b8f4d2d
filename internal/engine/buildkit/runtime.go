package buildkit

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// runtime runs containers with runc, and keeps the folders of runs.
type runtime struct {
	machine machine
	root    string // of the executor, as mounts are listed
	dir     string // of the runs
	memory  string // for small files that a container has while it runs
	group   group  // of all that this executor starts
	resolv  string // resolv.conf of all containers
}

// newRuntime clears what a killed process left below root and makes the folder
// for runs. The caller holds the lock on root.
func newRuntime(m machine, root, dns string) (*runtime, error) {
	r := &runtime{machine: m, root: root, dir: filepath.Join(root, "run"), group: instanceGroup(m.cgroups, root)}
	r.memory = filepath.Join(memoryFolder, filepath.Base(r.group.path))
	if err := r.sweep(); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "clearing what an earlier drydockd left in %s: %w", root, err)
	}
	for _, dir := range []string{r.dir, r.stateDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, unwritable(dir, err)
		}
	}
	if err := r.group.make(); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making control groups: %w", err).
			WithHint("in a container, %s must be writable", m.cgroups.root)
	}
	r.resolv = filepath.Join(r.memory, "resolv.conf")
	if err := os.WriteFile(r.resolv, []byte("nameserver "+dns+"\n"), 0o644); err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "writing resolv.conf: %w", err)
	}
	return r, nil
}

// instanceGroup is the control group of an executor. Its name tells executors
// with different folders apart, also at the next start.
func instanceGroup(c cgroups, root string) group {
	sum := sha256.Sum256([]byte(root))
	return group{c, groupsOfAll + "/" + hex.EncodeToString(sum[:4])}
}

// memoryFolder is on a file system in memory on all distributions: what is
// written there costs nothing, also when the disk is full.
const memoryFolder = "/run/drydock"

// groupsOfAll holds the groups of all executors of the machine.
const groupsOfAll = "/drydock"

// stateDir is where runc keeps the state of containers.
func (r *runtime) stateDir() string { return filepath.Join(r.memory, "runc") }

// newRunDir makes the folder of a run, which two runs with one id never share.
func (r *runtime) newRunDir(id string) (string, error) {
	dir, err := os.MkdirTemp(r.dir, strings.Map(folderRune, id)+"-")
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "making the run's folder: %w", err)
	}
	return dir, nil
}

func folderRune(c rune) rune {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		return c
	}
	return '_'
}

// Close removes the folder for runs, and that for temporary files.
func (r *runtime) Close() error {
	return errors.Join(os.RemoveAll(r.dir), os.RemoveAll(r.memory), r.removeTemp(), r.removeGroup())
}

// removeGroup kills what this executor, or an earlier process with the same
// folder, has running.
func (r *runtime) removeGroup() error {
	err := r.group.remove()
	// It stays as long as another executor has something in it.
	group{r.group.cgroups, groupsOfAll}.removeEmpty()
	return err
}
