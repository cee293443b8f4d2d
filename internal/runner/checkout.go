package runner

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
)

// MaxFile is the size in bytes up to which task, values and alias files are
// read.
const MaxFile = 1 << 20

// Fetcher makes a folder of what a user named as the source of a run.
type Fetcher interface {
	// Fetch returns a checkout of source: a folder, a git or tarball URL, an OCI
	// artifact, or /dev/null for none. The caller closes it.
	Fetch(ctx context.Context, source string) (*Checkout, error)
}

// Checkout is the fetched source of a run.
type Checkout struct {
	Dir    string // absolute; empty for a run without a source
	Commit string // of a git checkout; empty otherwise
	Branch string // of a git checkout; HEAD when it is detached
	Digest string // of an artifact; empty otherwise
	// Local says that Dir is the user's own folder. What lies in any other one
	// was written by strangers and may hold links that lead out of it.
	Local bool
	// Close removes what was fetched; nil for nothing to remove.
	Close func() error
}

// read returns a file of the checkout. A name that is absolute or leads out of
// the folder is for the user's own folder only.
func (c *Checkout) read(name string) ([]byte, error) {
	f, err := c.open(name)
	if err != nil {
		return nil, readError(name, err)
	}
	defer f.Close()
	return ReadFile(name, f)
}

func (c *Checkout) open(name string) (*os.File, error) {
	switch {
	case c.Local && filepath.IsAbs(name):
		return os.Open(name)
	case c.Dir == "":
		return nil, fs.ErrNotExist
	case c.Local:
		if info, err := os.Stat(filepath.Join(c.Dir, name)); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			// Opening a named pipe waits for somebody to write to it.
			return nil, errors.New("not a regular file")
		}
		return os.Open(filepath.Join(c.Dir, name))
	default:
		return os.OpenInRoot(c.Dir, name)
	}
}

// ReadFile reads a task, values or alias file that its users know as name. A
// file of more than MaxFile bytes is refused.
func ReadFile(name string, r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, readError(name, err)
	}
	if len(b) > MaxFile {
		return nil, drydock.Errorf(drydock.Invalid, "reading %s: the file is larger than 1 MiB", name).
			WithHint("move scripts and data into files of the context")
	}
	return b, nil
}

// readError says what could not be read, by the name that the user gave it.
func readError(name string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return drydock.Errorf(drydock.Invalid, "reading %s: %w", name, err)
}
