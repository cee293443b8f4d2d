package buildkit_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/sys/mountinfo"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// aloneEnv names the test that a process was started for.
const aloneEnv = "DRYDOCK_TEST_ALONE"

// alone reports whether this process carries out the test and nothing else. If
// it doesn't, the test is carried out by another one, with namespaces of its
// own for mounts, links and processes: so that it can list all that there is,
// whatever else goes on on the machine.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneEnv) == t.Name() {
		enterAlone(t)
		return true
	}
	// The death signal is that of the thread which starts the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), aloneEnv+"="+t.Name())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		t.Errorf("%v\n%s", err, out.String())
	}
	return false
}

// enterAlone makes the namespaces of the process usable.
func enterAlone(t *testing.T) {
	t.Helper()
	if err := unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""); err != nil {
		t.Fatalf("making mounts private: %v", err)
	}
	// What others have mounted would be held by this namespace, too.
	mounts, err := mountinfo.GetMounts(func(m *mountinfo.Info) (skip, stop bool) {
		return !strings.HasPrefix(m.Mountpoint, "/run/") && !strings.HasPrefix(m.Mountpoint, os.TempDir()+"/"), false
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mounts {
		_ = unix.Unmount(m.Mountpoint, unix.MNT_DETACH)
	}
	err = errors.Join(
		unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("run", "/run", "tmpfs", 0, ""),
	)
	lo, linkErr := netlink.LinkByName("lo")
	if err := errors.Join(err, linkErr); err != nil {
		t.Fatalf("making a machine for the test: %v", err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
}
