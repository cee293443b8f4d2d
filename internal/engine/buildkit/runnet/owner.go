package runnet

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// owner is this process among the instances on a machine. Its lock file is
// locked as long as it lives, however it ends, so that others can tell.
type owner struct {
	dir    string
	prefix string
	id     string // 6 hexadecimal digits
	lock   *os.File
	users  *os.File // of the machine's network; locked for sharing
}

// name begins the names of the instance's namespaces, and names its table.
func (o *owner) name() string { return o.prefix + "-" + o.id }

// links begins the names of the instance's links on the host.
func (o *owner) links() string { return linkPrefix(o.id) }

func linkPrefix(id string) string { return "dd" + id + "-" }

// isUplink reports whether a link's name is that of an uplink of any instance.
func isUplink(name string) bool {
	id, ok := strings.CutPrefix(name, "dd")
	if !ok || len(id) < 8 || id[6] != '-' {
		return false
	}
	_, err := hex.DecodeString(id[:6])
	return err == nil
}

func (o *owner) lockPath() string { return filepath.Join(o.dir, o.name()+".lock") }

// newOwner makes an instance known. The caller holds the machine's lock.
func newOwner(machine, dir, prefix string) (_ *owner, err error) {
	id := make([]byte, 3)
	_, _ = rand.Read(id) // never fails
	o := &owner{dir: dir, prefix: prefix, id: hex.EncodeToString(id)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for locks: %w", err)
	}
	if o.users, err = openLocked(filepath.Join(machine, "users.lock"), 0, unix.LOCK_SH); err != nil {
		return nil, err
	}
	if o.lock, err = openLocked(o.lockPath(), os.O_EXCL, unix.LOCK_EX); err != nil {
		return nil, errors.Join(err, o.users.Close())
	}
	_, _ = fmt.Fprintf(o.lock, "%d\n", os.Getpid()) // for people who look
	return o, nil
}

// openLocked creates a file where there is none, and waits until it has it locked.
func openLocked(path string, flag, how int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|flag, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening a lock: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), how); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), f.Close())
	}
	return f, nil
}

// close gives the instance up. It reports whether no other, of any prefix or
// folder, uses the machine's network. The caller holds the machine's lock.
func (o *owner) close() (last bool, err error) {
	err = os.Remove(o.lock.Name())
	if errors.Is(err, os.ErrNotExist) { // somebody tidied up
		err = nil
	}
	last = unix.Flock(int(o.users.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
	return last, errors.Join(err, o.lock.Close(), o.users.Close())
}

// lockMachine waits until this is the only instance that changes what the
// instances of the machine share.
func lockMachine(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the folder for locks: %w", err)
	}
	f, err := openLocked(filepath.Join(dir, "net.lock"), 0, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}

// alive reports whether the instance whose lock file is at path lives.
func alive(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("opening the lock of another instance: %w", err)
	}
	defer f.Close()
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("trying the lock of another instance: %w", err)
	}
	return false, nil
}

// isInstance reports whether name is that of an instance with the given prefix.
func isInstance(name, prefix string) bool {
	id, ok := strings.CutPrefix(name, prefix+"-")
	_, err := hex.DecodeString(id)
	return ok && len(id) == 6 && err == nil
}
