package buildkit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/mount"
	"golang.org/x/sys/unix"
)

// overlay is an overlay mount.
type overlay struct {
	lower []string // topmost first
	upper string
	work  string
	// volatile leaves out syncing the upper folder, which is as short-lived as
	// the run.
	volatile bool
	options  []string // further ones, as nosuid
}

// mount mounts it at target.
func (o overlay) mount(target string) error {
	options := append([]string{
		"lowerdir=" + strings.Join(o.escapedLower(), ":"),
		"upperdir=" + escapeOverlay(o.upper),
		"workdir=" + escapeOverlay(o.work),
	}, o.options...)
	if o.volatile {
		options = append(options, "volatile")
	}
	m := mount.Mount{Type: "overlay", Source: "overlay", Options: options}
	if err := m.Mount(target); err != nil {
		return fmt.Errorf("mounting an overlay: %w", err)
	}
	return nil
}

// unmount takes away what is mounted at target, if anything is.
func unmount(target string) error {
	err := unix.Unmount(target, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmounting %s: %w", target, err)
	}
	return nil
}

func (o overlay) escapedLower() []string {
	out := make([]string, len(o.lower))
	for i, dir := range o.lower {
		out[i] = escapeOverlay(dir)
	}
	return out
}

// escapeOverlay writes a path as overlayfs reads it in its options.
func escapeOverlay(path string) string {
	return strings.NewReplacer(`\`, `\\`, `:`, `\:`, `,`, `\,`).Replace(path)
}

// lowerDirs returns the folders that read-only mounts of a snapshot show,
// topmost first.
func lowerDirs(mounts []mount.Mount) ([]string, error) {
	if len(mounts) == 0 {
		return nil, nil
	}
	m := mounts[len(mounts)-1]
	switch m.Type {
	case "bind":
		return []string{m.Source}, nil
	case "overlay":
		var dirs []string
		for _, opt := range m.Options {
			if upper, ok := strings.CutPrefix(opt, "upperdir="); ok {
				dirs = slices.Insert(dirs, 0, upper)
			}
			if lower, ok := strings.CutPrefix(opt, "lowerdir="); ok {
				dirs = append(dirs, strings.Split(lower, ":")...)
			}
		}
		return dirs, nil
	}
	return nil, fmt.Errorf("a snapshot is mounted as %s", m.Type)
}
