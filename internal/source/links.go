package source

import (
	"archive/tar"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// symlink makes a symbolic link whose target is in the tree.
func (x *extraction) symlink(h *tar.Header, name string) error {
	target := path.Join(path.Dir(name), h.Linkname)
	if h.Linkname == "" || path.IsAbs(h.Linkname) || target == ".." || strings.HasPrefix(target, "../") {
		return x.refuse(h.Name, "the symbolic link leads out of the folder, to %q", h.Linkname)
	}
	if err := x.clear(name); err != nil {
		return x.failed(h.Name, err)
	}
	if err := x.root.Symlink(h.Linkname, name); err != nil {
		return x.failed(h.Name, err)
	}
	x.links = append(x.links, name)
	return nil
}

// link makes a hard link to a file that was unpacked before.
func (x *extraction) link(h *tar.Header, name string) error {
	target, err := x.inside(h.Name, h.Linkname)
	if err != nil {
		return err
	}
	if target == name {
		return x.refuse(h.Name, "it is a hard link to itself")
	}
	info, err := x.root.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return x.refuse(h.Name, "it is a hard link to %q, which the archive does not have before it", h.Linkname)
	case err != nil:
		return x.failed(h.Name, err)
	case info.IsDir():
		return x.refuse(h.Name, "it is a hard link to the folder %q", h.Linkname)
	}
	if err := x.clear(name); err != nil {
		return x.failed(h.Name, err)
	}
	if err := x.root.Link(target, name); err != nil {
		return x.failed(h.Name, err)
	}
	return nil
}

// finish looks at the links again, which may lead out by way of each other, and
// sets what could not be set while folders were written to.
func (x *extraction) finish() error {
	for _, name := range x.links {
		info, err := x.root.Lstat(name)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			continue // replaced by a later entry
		}
		if _, err := x.root.Stat(name); escapes(err) {
			return x.refuse(name, "the symbolic link leads out of the folder by way of another one")
		}
	}
	names := make([]string, 0, len(x.dirs))
	for name := range x.dirs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) }) // children first
	for _, name := range names {
		info, err := x.root.Lstat(name)
		if err != nil || !info.IsDir() {
			continue
		}
		h := x.dirs[name]
		// The owner keeps all rights: the folder must be removable.
		if err := x.root.Chmod(name, h.FileInfo().Mode().Perm()|0o700); err != nil {
			return x.failed(h.Name, err)
		}
		if err := x.times(h, name); err != nil {
			return err
		}
	}
	return nil
}
