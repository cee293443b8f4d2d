// Package backup packs a server's data folder into one archive while the server
// runs, and unpacks it.
package backup

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/drydockhq/drydock"
)

// infoFile is the first entry of an archive and says what it is.
const infoFile = "drydock-backup.json"

// format is the version of the archive's form.
const format = 1

// Info says what an archive is.
type Info struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	Program string    `json:"program"` // version of drydockd
}

// Source is what is packed.
type Source struct {
	Dir string
	// Parts are the files and folders in Dir that are packed after the database,
	// in this order. They hold what the database names, so that what is added
	// meanwhile is more than it needs, and never less.
	Parts    []string
	Database string // its name in Dir
	// Snapshot writes the database as it is now to a new file.
	Snapshot func(ctx context.Context, file string) error
	Info     Info
}

// Write packs a data folder. What is deleted meanwhile is left out.
func Write(ctx context.Context, w io.Writer, s Source) (err error) {
	compressor, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return fmt.Errorf("packing a backup: %w", err)
	}
	p := &packer{ctx: ctx, tar: tar.NewWriter(compressor), source: s}
	if err := p.pack(); err != nil {
		return fmt.Errorf("packing a backup: %w", err)
	}
	if err := errors.Join(p.tar.Close(), compressor.Close()); err != nil {
		return fmt.Errorf("packing a backup: %w", err)
	}
	return nil
}

type packer struct {
	ctx    context.Context
	tar    *tar.Writer
	source Source
}

func (p *packer) pack() error {
	p.source.Info.Format = format
	text, err := json.MarshalIndent(p.source.Info, "", "  ")
	if err != nil {
		return err
	}
	if err := p.tar.WriteHeader(&tar.Header{Name: infoFile, Mode: 0o600, Size: int64(len(text)), ModTime: p.source.Info.Created}); err != nil {
		return err
	}
	if _, err := p.tar.Write(text); err != nil {
		return err
	}
	if err := p.database(); err != nil {
		return err
	}
	root, err := os.OpenRoot(p.source.Dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, part := range p.source.Parts {
		err := fs.WalkDir(root.FS(), part, func(name string, d fs.DirEntry, err error) error {
			return p.entry(root, name, d, err)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// database packs a snapshot of the database.
func (p *packer) database() error {
	dir, err := os.MkdirTemp(p.source.Dir, "backup-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := p.source.Snapshot(p.ctx, filepath.Join(dir, "snapshot")); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return p.file(root, "snapshot", p.source.Database)
}

func (p *packer) entry(root *os.Root, name string, d fs.DirEntry, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case p.ctx.Err() != nil:
		return context.Cause(p.ctx)
	case d.IsDir():
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return fs.SkipDir
		}
		if err != nil {
			return err
		}
		return p.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: int64(info.Mode().Perm()), ModTime: info.ModTime()})
	case !d.Type().IsRegular():
		return nil
	}
	return p.file(root, name, name)
}

// file packs a file with the size that it has now, though it may grow.
func (p *packer) file(root *os.Root, from, name string) error {
	file, err := root.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime(), Format: tar.FormatPAX}
	if err := p.tar.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.CopyN(p.tar, file, info.Size()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Read unpacks an archive as a new data folder, which must not be there yet or
// be empty. It appears when it is complete.
func Read(ctx context.Context, r io.Reader, dir string) (Info, error) {
	if err := mustBeFree(dir); err != nil {
		return Info{}, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Info{}, fmt.Errorf("making the data folder: %w", err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return Info{}, fmt.Errorf("making the data folder: %w", err)
	}
	info, err := unpack(ctx, r, fresh)
	if err == nil {
		err = os.Chmod(fresh, 0o711)
	}
	if err == nil {
		_ = os.Remove(dir) // it is empty, or not there
		err = os.Rename(fresh, dir)
	}
	if err != nil {
		return info, errors.Join(fmt.Errorf("unpacking the backup: %w", err), os.RemoveAll(fresh))
	}
	return info, nil
}

func mustBeFree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return drydock.Errorf(drydock.Invalid, "reading the data folder: %w", err)
	}
	if len(entries) > 0 {
		return drydock.Errorf(drydock.Conflict, "the folder %s is not empty", dir).
			WithHint("restore to another folder with --data, or move this one away")
	}
	return nil
}

func unpack(ctx context.Context, r io.Reader, dir string) (info Info, err error) {
	d, err := zstd.NewReader(r)
	if err != nil {
		return info, err
	}
	defer d.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return info, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	archive := tar.NewReader(d)
	if info, err = readInfo(archive); err != nil {
		return info, err
	}
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return info, nil
		}
		if err != nil {
			return info, err
		}
		if ctx.Err() != nil {
			return info, context.Cause(ctx)
		}
		if err := unpackEntry(root, h, archive); err != nil {
			return info, err
		}
	}
}

func readInfo(archive *tar.Reader) (Info, error) {
	var info Info
	no := drydock.Errorf(drydock.Invalid, "this is not a backup of drydockd")
	h, err := archive.Next()
	if err != nil || h.Name != infoFile || h.Size > 1<<20 {
		return info, no
	}
	if json.NewDecoder(archive).Decode(&info) != nil {
		return info, no
	}
	if info.Format != format {
		return info, drydock.Errorf(drydock.Invalid, "the backup has format %d, and this program reads %d", info.Format, format).
			WithHint("it was made by drydockd %s: use that version or a newer one", info.Program)
	}
	return info, nil
}

func unpackEntry(root *os.Root, h *tar.Header, r io.Reader) error {
	name := path.Clean(h.Name)
	if !filepath.IsLocal(name) {
		return drydock.Errorf(drydock.Invalid, "the backup has an entry %q outside of the folder", h.Name)
	}
	mode := fs.FileMode(h.Mode).Perm()
	if h.Typeflag == tar.TypeDir {
		return root.MkdirAll(name, mode|0o700)
	}
	if h.Typeflag != tar.TypeReg {
		return drydock.Errorf(drydock.Invalid, "the backup has an entry %q that is no file", h.Name)
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return root.Chtimes(name, h.ModTime, h.ModTime)
}
