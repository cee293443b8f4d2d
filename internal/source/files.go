package source

import (
	"archive/tar"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// folder makes a folder, or keeps the one that is there.
func (x *extraction) folder(h *tar.Header, name string) error {
	err := x.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		var info fs.FileInfo
		if info, err = x.root.Lstat(name); err == nil && !info.IsDir() {
			if err = x.root.Remove(name); err == nil {
				err = x.root.Mkdir(name, 0o755)
			}
		}
	}
	if err != nil {
		return x.failed(h.Name, err)
	}
	x.dirs[name] = h
	return nil
}

// clear takes away what an entry replaces: a later entry of a name wins.
func (x *extraction) clear(name string) error {
	err := x.root.Remove(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	delete(x.dirs, name)
	return err
}

// file writes a regular file with its mode, but for setuid, setgid and sticky.
func (x *extraction) file(h *tar.Header, name string, r io.Reader) error {
	if err := x.budget.room(h.Size); err != nil {
		return err
	}
	if err := x.clear(name); err != nil {
		return x.failed(h.Name, err)
	}
	f, err := x.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return x.failed(h.Name, err)
	}
	defer f.Close()
	if n, err := io.Copy(f, r); err != nil {
		return x.copyFailed(h.Name, err)
	} else if n != h.Size {
		return x.broken(io.ErrUnexpectedEOF)
	}
	if err := f.Chmod(h.FileInfo().Mode().Perm()); err != nil {
		return x.failed(h.Name, err)
	}
	if err := f.Close(); err != nil {
		return x.failed(h.Name, err)
	}
	return x.times(h, name)
}

// copyFailed tells a broken archive from a full disk.
func (x *extraction) copyFailed(entry string, err error) error {
	var write *fs.PathError
	if errors.As(err, &write) && write.Op == "write" {
		return x.failed(entry, err)
	}
	return x.broken(err)
}

// times sets when a file was last changed, which tools like make go by.
func (x *extraction) times(h *tar.Header, name string) error {
	at := h.ModTime
	if at.Year() < 1970 || at.Year() > 2200 {
		at = time.Unix(0, 0) // file systems differ in what else they take
	}
	if err := x.root.Chtimes(name, at, at); err != nil {
		return x.failed(h.Name, err)
	}
	return nil
}
