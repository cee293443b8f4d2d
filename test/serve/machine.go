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
	dir string
}

// privateFolders are what a Machine has for itself.
var privateFolders = []string{"/etc", "/usr/local/share/ca-certificates"}

// NewMachine makes a machine that goes with the test.
func NewMachine(t TB) *Machine {
	t.Helper()
	m := &Machine{dir: t.TempDir()}
	for _, folder := range privateFolders {
		target := m.Path(folder)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-a", folder, target).CombinedOutput(); err != nil {
			t.Fatal(fmt.Sprintf("copying %s: %v: %s (make setup installs what is missing)", folder, err, out))
		}
	}
	return m
}

// Path returns where a file of the machine is.
func (m *Machine) Path(name string) string { return filepath.Join(m.dir, name) }

// enter runs its arguments from the second on with the private folders of the
// machine at $1 in their place. The process stays the same, so signals reach it.
const enter = `set -e
mount --bind "$1/etc" /etc
mount --bind "$1/usr/local/share/ca-certificates" /usr/local/share/ca-certificates
shift
exec "$@"`

// Command returns a command of the machine.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if m == nil {
		return exec.CommandContext(ctx, name, args...)
	}
	head := []string{"--mount", "--propagation=private", "sh", "-c", enter, "sh", m.dir, name}
	return exec.CommandContext(ctx, "unshare", append(head, args...)...)
}
