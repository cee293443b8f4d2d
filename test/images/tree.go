package images

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
)

// tree is the content of a layer: entries by their path, without a leading
// slash. Adding a path adds the folders above it.
type tree map[string]entry

// entry is a file, a folder or a symbolic link.
type entry struct {
	mode fs.FileMode // permissions, fs.ModeSticky, and the type
	uid  int         // the owner, also the group
	link string      // of a symbolic link
	data []byte      // of a file
	host string      // path on this machine of a file's content, instead of data
}

// dir adds a folder.
func (t tree) dir(name string, perm fs.FileMode) {
	t.put(name, entry{mode: fs.ModeDir | perm})
}

// file adds a file with the given content.
func (t tree) file(name string, perm fs.FileMode, data string) {
	t.put(name, entry{mode: perm, data: []byte(data)})
}

// copy adds a file with the content that host, a file of this machine, has when
// the layer is written.
func (t tree) copy(name string, perm fs.FileMode, host string) {
	t.put(name, entry{mode: perm, host: host})
}

// symlink adds a symbolic link to target.
func (t tree) symlink(name, target string) {
	t.put(name, entry{mode: fs.ModeSymlink | 0o777, link: target})
}

func (t tree) put(name string, e entry) {
	name = strings.Trim(path.Clean("/"+name), "/")
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if _, ok := t[dir]; !ok {
			t[dir] = entry{mode: fs.ModeDir | 0o755}
		}
	}
	t[name] = e
}

// sum writes a line for each entry to w, which tells trees of different content
// apart.
func (t tree) sum(w io.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(t)) {
		digest, err := t[name].sum()
		if err != nil {
			return fmt.Errorf("hashing %s: %w", name, err)
		}
		fmt.Fprintf(w, "%q %s %d %q %s\n", name, t[name].mode, t[name].uid, t[name].link, digest)
	}
	return nil
}

// sum returns the SHA-256 of the entry's content.
func (e entry) sum() (string, error) {
	content, _, err := e.open()
	if err != nil {
		return "", err
	}
	defer content.Close()
	h := sha256.New()
	if _, err := io.Copy(h, content); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// open returns the entry's content and its size in bytes; both are empty for
// what is not a file.
func (e entry) open() (io.ReadCloser, int64, error) {
	if e.host == "" {
		return io.NopCloser(bytes.NewReader(e.data)), int64(len(e.data)), nil
	}
	f, err := os.Open(e.host)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// writeTar writes the tree as a tar archive: sorted, and with one fixed time, so
// that the same content gives the same bytes.
func (t tree) writeTar(w io.Writer) error {
	tw := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if err := t[name].writeTar(tw, name); err != nil {
			return fmt.Errorf("writing %s to a layer: %w", name, err)
		}
	}
	return tw.Close()
}

func (e entry) writeTar(tw *tar.Writer, name string) error {
	content, size, err := e.open()
	if err != nil {
		return err
	}
	defer content.Close()
	header := &tar.Header{
		Format: tar.FormatPAX, Name: name, Mode: int64(e.mode.Perm()), Uid: e.uid, Gid: e.uid, ModTime: epoch(),
	}
	switch {
	case e.mode.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, name+"/"
		if e.mode&fs.ModeSticky != 0 {
			header.Mode |= 0o1000
		}
	case e.mode&fs.ModeSymlink != 0:
		header.Typeflag, header.Linkname = tar.TypeSymlink, e.link
	default:
		header.Typeflag, header.Size = tar.TypeReg, size
	}
	if err := tw.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.Copy(tw, content)
	return err
}
