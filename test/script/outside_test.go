package script_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock/test/registry"
)

// outsides counts the namespaces of this process.
var outsides atomic.Uint32

// outside starts a registry on another machine, as far as steps can tell: steps
// don't reach the loopback addresses of the machine that they run on.
func outside(ts *testscript.TestScript, args []string) error {
	o, err := registryOptions(args)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("dds%d-%d", os.Getpid()%100000, outsides.Add(1))
	host, far := addresses(os.Getpid(), outsides.Load())
	if err := newMachine(name, host, far); err != nil {
		return err
	}
	ts.Defer(func() { ts.Check(ip("netns", "delete", name)) })
	var r *registry.Registry
	o.Addr = far.String() + ":5000"
	err = inside("/run/netns/"+name, func() (err error) {
		r, err = of(ts).start(o, ts.Defer)
		return err
	})
	if err != nil {
		return err
	}
	ts.Setenv(args[0], r.Host)
	return nil
}

// addresses returns two addresses of a /30 in the networks that are reserved for
// tests of devices.
func addresses(pid int, n uint32) (host, far netip.Addr) {
	base := uint32(pid)%4096*16 + n%4*4
	at := func(i uint32) netip.Addr {
		i += base
		return netip.AddrFrom4([4]byte{198, byte(18 + i>>16&1), byte(i >> 8), byte(i)})
	}
	return at(1), at(2)
}

// newMachine makes a namespace with a link to the host.
func newMachine(name string, host, far netip.Addr) error {
	if err := ip("netns", "add", name); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name},
		{"addr", "add", host.String() + "/30", "dev", name},
		{"link", "set", name, "up"},
		{"-n", name, "addr", "add", far.String() + "/30", "dev", "eth0"},
		{"-n", name, "link", "set", "eth0", "up"},
	} {
		if err := ip(args...); err != nil {
			return errors.Join(err, ip("netns", "delete", name))
		}
	}
	return nil
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s (make setup installs iproute2)", strings.Join(args, " "), err, out)
	}
	return nil
}

// inside calls do in a network namespace. What it opens stays there.
func inside(path string, do func() error) error {
	done := make(chan error, 1)
	go func() {
		// The thread is not unlocked, so it ends with its goroutine.
		runtime.LockOSThread()
		done <- func() error {
			namespace, err := os.Open(path)
			if err != nil {
				return err
			}
			defer namespace.Close()
			if err := unix.Setns(int(namespace.Fd()), unix.CLONE_NEWNET); err != nil {
				return fmt.Errorf("entering %s: %w", path, err)
			}
			return do()
		}()
	}()
	return <-done
}
