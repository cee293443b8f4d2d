package source

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/drydockhq/drydock"
)

// unpack unpacks a tarball, compressed or not, into a folder. name stands for it
// in messages.
func (f *Fetcher) unpack(ctx context.Context, dir string, stream io.Reader, name string) error {
	b := &budget{limits: f.Limits.withDefaults(), name: name}
	return f.unpackInto(ctx, dir, stream, b)
}

// unpackInto is unpack with a budget that several archives may share.
func (f *Fetcher) unpackInto(ctx context.Context, dir string, stream io.Reader, b *budget) error {
	plain, err := f.decompress(ctx, packedReader{contextReader{ctx, stream}, b}, b.name)
	if err != nil {
		return err
	}
	defer plain.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "opening the folder of the source: %w", err)
	}
	defer root.Close()
	x := &extraction{root: root, budget: b, dirs: map[string]*tar.Header{}}
	r := plainReader{plain, b}
	if err := x.all(tar.NewReader(r)); err != nil {
		return err
	}
	// The checksum of a compressed stream is at its end.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return x.broken(err)
	}
	return x.finish()
}

// contextReader ends with the context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(buf []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(buf)
}

// extraction writes the entries of an archive. Everything goes through root, so
// that nothing an archive says can reach a file outside.
type extraction struct {
	root   *os.Root
	budget *budget
	dirs   map[string]*tar.Header // whose mode and time are set at the end
	links  []string               // symbolic links to look at again
}

// all writes all entries.
func (x *extraction) all(r *tar.Reader) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return x.broken(err)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // a comment, as git archive writes one
		}
		if err := x.budget.entry(); err != nil {
			return err
		}
		if err := x.entry(h, r); err != nil {
			return err
		}
	}
}

const archiveHint = "a source is a tar archive, as it is or compressed by gzip (as tar -czf does), bzip2, xz or zstd"

// broken explains a stream that can't be read as an archive.
func (x *extraction) broken(err error) error {
	var user *drydock.Error
	switch {
	case errors.As(err, &user):
		return err
	case errors.Is(err, tar.ErrHeader) && x.budget.entries == 0:
		return drydock.Errorf(drydock.Invalid, "%s is no tar archive", x.budget.name).WithHint("%s", archiveHint)
	default:
		return drydock.Errorf(drydock.Invalid, "unpacking %s: %w", x.budget.name, err).WithHint("is it complete? %s", archiveHint)
	}
}

// refuse says which entry is not taken and why.
func (x *extraction) refuse(entry, format string, args ...any) error {
	return drydock.Errorf(drydock.Invalid, "%s: refusing its entry %q: %s", x.budget.name, entry, fmt.Sprintf(format, args...))
}

// entry writes one entry.
func (x *extraction) entry(h *tar.Header, r io.Reader) error {
	// The Azure CLI packs a folder as "/", and what is in it by relative names.
	if h.Typeflag == tar.TypeDir && strings.Trim(h.Name, "/") == "" {
		return nil
	}
	name, err := x.inside(h.Name, h.Name)
	if err != nil {
		return err
	}
	if name == "." {
		if h.Typeflag != tar.TypeDir {
			return x.refuse(h.Name, "it stands for the whole folder")
		}
		return nil
	}
	if err := x.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return x.failed(h.Name, err)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.folder(h, name)
	case tar.TypeReg, tar.TypeCont, tar.TypeGNUSparse:
		return x.file(h, name, r)
	case tar.TypeSymlink:
		return x.symlink(h, name)
	case tar.TypeLink:
		return x.link(h, name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return x.refuse(h.Name, "it is a device or a pipe")
	default:
		return x.refuse(h.Name, "it is of the unknown type %q", h.Typeflag)
	}
}

// inside returns a name of the archive relative to the root, if it is below.
func (x *extraction) inside(entry, name string) (string, error) {
	switch {
	case name == "":
		return "", x.refuse(entry, "it has no name")
	case path.IsAbs(name):
		return "", x.refuse(entry, "%q is absolute", name)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", x.refuse(entry, "%q has a \"..\" in it", name)
	case strings.ContainsRune(name, 0):
		return "", x.refuse(entry, "its name holds a zero byte")
	}
	return path.Clean(name), nil
}

// failed explains an error of the file system; one that led out of the root is
// a refusal.
func (x *extraction) failed(entry string, err error) error {
	if escapes(err) {
		return x.refuse(entry, "it leads out of the folder")
	}
	code := drydock.Unavailable
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) && !errors.Is(err, syscall.EIO) {
		code = drydock.Invalid
	}
	return drydock.Errorf(code, "unpacking %q of %s: %w", entry, x.budget.name, err)
}

// escapes reports whether os.Root refused a path. It has no error value for it,
// but all others are those of the system.
func escapes(err error) bool {
	var errno syscall.Errno
	return err != nil && !errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist)
}
