// Package sourcetar packs a folder for a build: what .dockerignore leaves of
// it, without its version control, with the Dockerfile under a name of its own.
package sourcetar

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/drydockhq/drydock"
)

// Source is a folder to pack.
type Source struct {
	Dir string
	// Dockerfile is a path on this machine, in the folder or not; "" for none.
	Dockerfile string
	// NameInTar is what the Dockerfile is called in the archive. An ignore file of
	// its own goes with it.
	NameInTar string
}

// Stats say what was packed.
type Stats struct {
	Files int
	Bytes int64 // before compression
}

// Write writes the archive, compressed by gzip. The content is read while it is
// written: nothing is kept in memory. Sockets are left out; of the entries that
// no server would take, devices, pipes and links that lead out of the folder,
// the first is the error.
func (s Source) Write(ctx context.Context, w io.Writer) (Stats, error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return Stats{}, drydock.Errorf(drydock.Invalid, "opening the source folder: %w", err)
	}
	defer root.Close()
	ignore, err := s.ignore(root)
	if err != nil {
		return Stats{}, err
	}
	compressed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return Stats{}, err
	}
	p := &packer{ctx: ctx, root: root, tar: tar.NewWriter(compressed), ignore: ignore}
	if err := p.folder(".", nil); err != nil {
		return p.stats, err
	}
	if s.Dockerfile != "" {
		if err := p.dockerfile(s.Dockerfile, s.NameInTar); err != nil {
			return p.stats, err
		}
		// The server goes by it too, and not by the folder's.
		err := p.dockerfile(s.Dockerfile+ignoreFile, s.NameInTar+ignoreFile)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return p.stats, err
		}
	}
	return p.stats, errors.Join(p.tar.Close(), compressed.Close())
}

// packer writes the entries of an archive.
type packer struct {
	ctx    context.Context
	root   *os.Root
	tar    *tar.Writer
	ignore *ignorer
	held   []string // folders that are left out until something in them is not
	stats  Stats
}

// folder packs what is in a folder, in the order of the names.
func (p *packer) folder(name string, parent *decision) error {
	entries, err := fs.ReadDir(p.root.FS(), name)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the source folder: %w", err)
	}
	for _, e := range entries {
		if p.ctx.Err() != nil {
			return context.Cause(p.ctx)
		}
		if name == "." && isVersionControl(e.Name()) {
			continue
		}
		if err := p.entry(path.Join(name, e.Name()), parent); err != nil {
			return err
		}
	}
	return nil
}

// isVersionControl names what the root of a checkout holds beside the files.
func isVersionControl(name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".bzr":
		return true
	}
	return false
}

func (p *packer) entry(name string, parent *decision) error {
	info, err := p.root.Lstat(name)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the source folder: %w", err)
	}
	d, err := p.ignore.decide(name, parent)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return p.subfolder(name, d)
	}
	if d.out {
		return nil
	}
	if err := p.release(); err != nil {
		return err
	}
	return p.write(name, info)
}

// subfolder packs a folder. One that is left out is held back: it is written if
// something in it is not left out.
func (p *packer) subfolder(name string, d *decision) error {
	if d.out && !p.ignore.mayKeepBelow(name) {
		return nil
	}
	p.held = append(p.held, name)
	if !d.out {
		if err := p.release(); err != nil {
			return err
		}
	}
	if err := p.folder(name, d); err != nil {
		return err
	}
	if n := len(p.held); n > 0 && p.held[n-1] == name {
		p.held = p.held[:n-1]
	}
	return nil
}

// release writes the folders that were held back.
func (p *packer) release() error {
	for _, name := range p.held {
		info, err := p.root.Lstat(name)
		if err != nil {
			return drydock.Errorf(drydock.Invalid, "reading the source folder: %w", err)
		}
		if err := p.write(name, info); err != nil {
			return err
		}
	}
	p.held = nil
	return nil
}

// write writes an entry, with its content if it is a file.
func (p *packer) write(name string, info fs.FileInfo) error {
	link := ""
	switch mode := info.Mode(); {
	case mode&fs.ModeSocket != 0:
		return nil
	case mode&fs.ModeSymlink != 0:
		var err error
		if link, err = p.link(name); err != nil {
			return err
		}
	case !mode.IsRegular() && !mode.IsDir():
		return refuse(name, "is a device or a pipe")
	}
	h, err := header(info, name, link)
	if err != nil {
		return err
	}
	if err := p.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("packing %q: %w", name, err)
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	f, err := p.root.Open(name)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the source folder: %w", err)
	}
	defer f.Close()
	return p.content(name, f, h.Size)
}

// content copies a file, which may grow or shrink meanwhile.
func (p *packer) content(name string, f io.Reader, size int64) error {
	n, err := io.CopyN(p.tar, f, size)
	if errors.Is(err, io.EOF) {
		return refuse(name, "became shorter while it was read")
	}
	if err != nil {
		return fmt.Errorf("packing %q: %w", name, err)
	}
	p.stats.Files++
	p.stats.Bytes += n
	return nil
}

// link returns where a symbolic link leads to, if that is in the folder.
func (p *packer) link(name string) (string, error) {
	target, err := p.root.Readlink(name)
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "reading the source folder: %w", err)
	}
	slashed := filepath.ToSlash(target)
	if filepath.IsAbs(target) || path.IsAbs(slashed) || !filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), slashed))) {
		return "", refuse(name, fmt.Sprintf("is a symbolic link that leads out of the folder, to %q", target))
	}
	return slashed, nil
}

// dockerfile adds the Dockerfile, which need not be in the folder.
func (p *packer) dockerfile(file, name string) error {
	f, err := os.Open(file)
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "opening the Dockerfile: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "opening the Dockerfile: %w", err)
	}
	if !info.Mode().IsRegular() {
		return drydock.Errorf(drydock.Invalid, "the Dockerfile %q is no file", file)
	}
	h, err := header(info, name, "")
	if err != nil {
		return err
	}
	if err := p.tar.WriteHeader(h); err != nil {
		return fmt.Errorf("packing the Dockerfile: %w", err)
	}
	return p.content(name, f, h.Size)
}

func refuse(name, why string) error {
	return drydock.Errorf(drydock.Invalid, "%q %s", name, why).WithHint("leave it out with a line in .dockerignore")
}

// header describes an entry. Whose it was is nobody's business, and Windows
// knows no permissions: all may be executed there.
func header(info fs.FileInfo, name, link string) (*tar.Header, error) {
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return nil, fmt.Errorf("packing %q: %w", name, err)
	}
	h.Name = name
	if info.IsDir() {
		h.Name += "/"
	}
	h.Uid, h.Gid, h.Uname, h.Gname = 0, 0, "", ""
	h.Format = tar.FormatPAX
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	if runtime.GOOS == "windows" {
		h.Mode |= 0o111
	}
	return h, nil
}
