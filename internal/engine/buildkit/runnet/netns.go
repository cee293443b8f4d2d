package runnet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namedDir is where iproute2 looks for named network namespaces.
const namedDir = "/run/netns"

// namespace is a network namespace held by a file descriptor.
type namespace struct {
	file *os.File
}

// path names the namespace for other processes of the machine. It is valid
// until the namespace is closed.
func (n *namespace) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.fd())
}

func (n *namespace) fd() int { return int(n.file.Fd()) }

func (n *namespace) Close() error { return n.file.Close() }

// onThread runs f on a thread that ends afterwards, so that f may change what
// belongs to a thread. It returns when f does.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			// Not unlocked: the runtime ends the thread with the goroutine.
			done <- f()
			return
		}
		// The main thread can't end, and /proc/self is about it. While it is
		// locked here, another goroutine gets another thread.
		defer runtime.UnlockOSThread()
		done <- onThread(f)
	}()
	return <-done
}

// newNamespace makes a namespace with its loopback up and calls setup on a
// thread inside of it, with a handle into it. On error nothing is left.
func newNamespace(setup func(ns *namespace, h *netlink.Handle) error) (*namespace, error) {
	var ns *namespace
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("creating a network namespace: %w", err)
		}
		f, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			return fmt.Errorf("opening the new network namespace: %w", err)
		}
		ns = &namespace{file: f}
		h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return errors.Join(fmt.Errorf("opening a netlink socket: %w", err), ns.Close())
		}
		defer h.Close()
		if err := setLoopbackUp(h); err != nil {
			return errors.Join(err, ns.Close())
		}
		if err := setup(ns, h); err != nil {
			return errors.Join(err, ns.Close())
		}
		return nil
	})
	return ns, err
}

func setLoopbackUp(h *netlink.Handle) error {
	// The loopback is the first link of every namespace.
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1, Name: "lo"}}
	if err := h.LinkSetUp(lo); err != nil {
		return fmt.Errorf("setting up the loopback: %w", err)
	}
	return nil
}

// inside runs f on a thread inside the namespace.
func (n *namespace) inside(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(netns.NsHandle(n.fd())); err != nil {
			return fmt.Errorf("entering a network namespace: %w", err)
		}
		return f()
	})
}

// errTaken is what pin returns for a name that is not free.
var errTaken = errors.New("a run with this id is open")

// pin gives the namespace a name under /run/netns, which must be free.
func (n *namespace) pin(name string) error {
	if err := os.MkdirAll(namedDir, 0o755); err != nil {
		return fmt.Errorf("naming a network namespace: %w", err)
	}
	path := filepath.Join(namedDir, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o444)
	if errors.Is(err, os.ErrExist) {
		return errTaken
	}
	if err != nil {
		return fmt.Errorf("naming a network namespace: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("naming a network namespace: %w", err)
	}
	if err := unix.Mount(n.path(), path, "", unix.MS_BIND, ""); err != nil {
		return errors.Join(fmt.Errorf("binding a network namespace to %s: %w", path, err), os.Remove(path))
	}
	return nil
}

// unpin takes a name under /run/netns away; no such name is no error.
func unpin(name string) error {
	path := filepath.Join(namedDir, name)
	// EINVAL: the file is there, but nothing is mounted on it.
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmounting %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the name of a network namespace: %w", err)
	}
	return nil
}

// sysctl writes a setting of the namespace that the calling thread is in.
func sysctl(value string, path ...string) error {
	name := filepath.Join(append([]string{"/proc/sys/net"}, path...)...)
	if err := os.WriteFile(name, []byte(value), 0o644); err != nil {
		return fmt.Errorf("setting %s to %s: %w", name, value, err)
	}
	return nil
}
