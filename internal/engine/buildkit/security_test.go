package buildkit_test

import (
	"slices"
	"strings"
	"testing"
)

// confined is a script that prints what the kernel says of a process, and what
// it refuses.
const confined = `
grep -E '^(CapEff|CapBnd|Seccomp):' /proc/self/status | tr -s '\t ' ' '
mount -t tmpfs none /mnt 2>/dev/null && echo mounted
unshare -U true 2>/dev/null && echo unshared
chroot / true || echo no chroot
cat /proc/kcore >/dev/null 2>&1 && test -s /proc/kcore && echo kcore
echo 1 2>/dev/null >/proc/sys/kernel/panic && echo sysctl
echo b 2>/dev/null >/proc/sysrq-trigger && echo sysrq
mkdir /sys/fs/cgroup/pids/mine 2>/dev/null && echo cgroup
mknod /dev/disk b 254 0 2>/dev/null && dd if=/dev/disk of=/dev/null count=1 2>/dev/null && echo disk
mknod /dev/mymem c 1 1 2>/dev/null && dd if=/dev/mymem of=/dev/null count=1 2>/dev/null && echo mem
dmesg >/dev/null 2>&1 && echo dmesg
ls -d /proc/[0-9]* | wc -l | awk '$1 > 5 {print "processes of others"}'
true
`

const confinedWant = `CapBnd: 00000000a80425fb
CapEff: 00000000a80425fb
Seccomp: 2`

func TestConfined(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	got := strings.Split(strings.TrimSpace(r.run(busybox, confined)), "\n")
	slices.Sort(got)
	wantEqual(t, "what a step may do", strings.Join(got, "\n"), confinedWant)

	r.write("-- script --\n" + confined + "-- Dockerfile --\nFROM " + busybox + "\nCOPY script /\nRUN sh /script >/out\n")
	r.build("-t", "confined", ".")
	got = strings.Split(strings.TrimSpace(r.run("confined", "cat /out")), "\n")
	slices.Sort(got)
	wantEqual(t, "what a RUN may do", strings.Join(got, "\n"), confinedWant)
}

// The workspace and the home folder are all that a step sees of this machine.
func TestMountsInside(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	var got []string
	for line := range strings.Lines(r.run(busybox, "cat /proc/self/mountinfo")) {
		fields := strings.Fields(line)
		kind := fields[slices.Index(fields, "-")+1]
		target := fields[4]
		switch {
		case strings.HasPrefix(target, "/proc"), strings.HasPrefix(target, "/dev"), strings.HasPrefix(target, "/sys"):
			// The kernel's own: nothing of a disk.
			if !slices.Contains([]string{"proc", "tmpfs", "devpts", "mqueue", "sysfs", "cgroup", "cgroup2"}, kind) {
				t.Errorf("%s is a mount of %s", target, kind)
			}
		default:
			got = append(got, target)
		}
	}
	slices.Sort(got)
	wantEqual(t, "mounts", strings.Join(got, " "), "/ /acb/home /etc/hosts /etc/resolv.conf /workspace")
}

// Set-user-id programs and devices that a step leaves in the workspace are
// nothing to a later one.
func TestWorkspaceHasNoDevices(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	out := r.run(busybox, "mknod null c 1 3 && (echo >null) 2>&1; cp /bin/busybox id; chmod 4755 id; grep ' /workspace ' /proc/self/mountinfo")
	wantContains(t, "output", out, "Permission denied", "nosuid,nodev")
}
