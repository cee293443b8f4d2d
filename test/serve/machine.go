package serve

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Machine is this machine with a configuration of its own: the programs that run
// on it have a copy of /etc and of the certificates that were added. What users
// do to their machine, such as to trust a server, can be done to it without a
// trace. The nil Machine is this one.
type Machine struct {
	dir     string
	folders []string // that it has for itself
}

// NewMachine makes a machine that goes with the test. It also has the folders that
// are named for itself; they are empty.
func NewMachine(t TB, empty ...string) *Machine {
	t.Helper()
	m := &Machine{dir: t.TempDir()}
	for _, folder := range []string{"/etc", "/usr/local/share/ca-certificates"} {
		m.add(t, folder)
		if out, err := exec.Command("cp", "-a", folder+"/.", m.Path(folder)).CombinedOutput(); err != nil {
			t.Fatal(fmt.Sprintf("copying %s: %v: %s (make setup installs what is missing)", folder, err, out))
		}
	}
	for _, folder := range empty {
		m.add(t, folder)
	}
	return m
}

func (m *Machine) add(t TB, folder string) {
	t.Helper()
	if err := os.MkdirAll(m.Path(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	m.folders = append(m.folders, folder)
}

// Path returns where a file of the machine is.
func (m *Machine) Path(name string) string { return filepath.Join(m.dir, name) }

// enter takes the folder of a machine, the folders that it has for itself, "--"
// and a command. The process stays the same, so signals reach it.
const enter = `set -e
machine=$1
shift
while [ "$1" != -- ]; do
	mount --bind "$machine$1" "$1"
	shift
done
shift
exec "$@"`

// Command returns a command of the machine.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if m == nil {
		return exec.CommandContext(ctx, name, args...)
	}
	head := append([]string{"--mount", "--propagation=private", "sh", "-c", enter, "sh", m.dir}, m.folders...)
	return exec.CommandContext(ctx, "unshare", append(append(head, "--", name), args...)...)
}
