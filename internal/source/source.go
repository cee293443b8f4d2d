// Package source makes the SOURCE of a run into a folder: a local folder, a git
// repository, a tarball, or an artifact of a registry.
package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
	"github.com/drydockhq/drydock/internal/credentials"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// Fetcher fetches sources. It keeps no state: Fetch may be called from several
// goroutines.
type Fetcher struct {
	Dir       string                 // where folders are made; empty for the system's temporary folder
	HTTP      *http.Client           // nil for one with Go's defaults
	Keychain  credentials.Keychain   // for oci://; nil for none
	Limits    Limits                 // of archives and artifacts; zero fields get defaults
	Stdin     io.Reader              // what "-" reads; nil for nothing
	StdinName string                 // what that is to users; empty for standard input
	Login     string                 // hint for who may not read an artifact; empty for that of exec
	Env       []string               // NAME=value; git is given what it needs of it: PATH, proxies, the ssh agent
	Log       func(string, ...any)   // progress and warnings, a line each, without secrets; nil for none
	Token     Tokens                 // for git over HTTP(S); nil for none
	PlainHTTP func(host string) bool // registries beside loopback that speak plain HTTP; nil for none
	// Ref is where a git source's commit can be found, as refs/pull/7/head, when
	// it is in no branch and the server gives no single commits. May be empty.
	Ref string
	// Untrusted says that strangers wrote what is fetched: credentials are for
	// the repository itself, and neither for its submodules nor its large files.
	Untrusted bool
	Pin       drydock.SourcePin // what the source must be

	// CAs are trusted beside the system's certificates by git, in PEM form by host
	// with its port if that is named; "" for all hosts. Insecure are hosts whose
	// certificates it doesn't look at.
	CAs      map[string][]byte
	Insecure []string

	// Enclose makes the place in which git runs when it must not reach all that
	// this machine reaches; nil for none. With it ssh needs Connect, a program
	// that does egress.Connect with the host and port of its last two arguments.
	Enclose func(context.Context) (*egress.Enclosure, error)
	Connect string
}

// Tokens returns the user name and token for a git host, with its port if any;
// an empty token for none. A user in the URL with a password is stronger.
type Tokens func(ctx context.Context, host string) (username, token string, err error)

// Fetched is a source as a folder.
type Fetched struct {
	Dir    string // absolute
	Commit string // of a git repository or work tree, else empty
	Branch string // likewise; "HEAD" when no branch is checked out
	Digest string // of an artifact, else empty
	remove string // folder to remove; empty for a local folder
}

// Close removes what was fetched. A local folder stays.
func (f *Fetched) Close() error {
	if f.remove == "" {
		return nil
	}
	if err := os.RemoveAll(f.remove); err != nil {
		return fmt.Errorf("removing the fetched source: %w", err)
	}
	return nil
}

// Fetch fetches a source:
//
//	./folder                        a folder, used as it is
//	./file.tar.gz, -                a tarball, from a file or standard input
//	https://host/file.tar.gz        a tarball: tar, or tar with gzip, bzip2, xz or zstd
//	https://host/repo.git#ref:dir   a git repository; also ssh, file, git@host:repo, Azure Repos
//	oci://registry/repository:tag   an artifact whose layers are tarballs or files
//	/dev/null, or nothing           an empty folder
//
// Errors are *drydock.Error unless ctx ended, and hold no secret, even where
// the source has one in its URL. The caller closes what is returned.
func (f *Fetcher) Fetch(ctx context.Context, spec string) (*Fetched, error) {
	if spec != "" && spec != "/dev/null" {
		if info, err := os.Stat(spec); err == nil && info.IsDir() {
			return f.local(ctx, spec)
		}
	}
	dir, err := f.scratch()
	if err != nil {
		return nil, err
	}
	fetched := &Fetched{Dir: dir, remove: filepath.Dir(dir)}
	if err := f.into(ctx, fetched, spec); err != nil {
		err = errors.Join(err, fetched.Close())
		if ctx.Err() != nil {
			return nil, fmt.Errorf("fetching the source: %w", context.Cause(ctx))
		}
		return nil, single(err)
	}
	return fetched, nil
}

// single unpacks a joined error that holds one.
func single(err error) error {
	if j, ok := err.(interface{ Unwrap() []error }); ok && len(j.Unwrap()) == 1 {
		return j.Unwrap()[0]
	}
	return err
}

// into fetches everything but local folders into fetched.Dir.
func (f *Fetcher) into(ctx context.Context, fetched *Fetched, spec string) error {
	switch kind(spec) {
	case none:
		return nil
	case buildflags.Git:
		return f.git(ctx, fetched, spec)
	case buildflags.Tarball:
		return f.download(ctx, fetched.Dir, spec)
	case buildflags.OCI:
		return f.artifact(ctx, fetched, spec)
	case buildflags.Stdin:
		if f.Stdin == nil {
			return drydock.Errorf(drydock.Invalid, "the source is - and standard input is not there")
		}
		return f.unpack(ctx, fetched.Dir, f.Stdin, cmp.Or(f.StdinName, "standard input"))
	default:
		return f.file(ctx, fetched.Dir, spec)
	}
}

// none is the kind of a source without files.
const none buildflags.Kind = "none"

// kind says what a source is that is not a folder.
func kind(spec string) buildflags.Kind {
	switch {
	case spec == "" || spec == "/dev/null":
		return none
	case strings.HasPrefix(strings.ToLower(spec), "file://"):
		return buildflags.Git
	}
	return buildflags.ContextKind(spec)
}

// scratch makes an empty folder of its own, in a folder that can hold more.
func (f *Fetcher) scratch() (string, error) {
	top, err := os.MkdirTemp(f.Dir, "source-")
	if err == nil {
		top, err = filepath.Abs(top)
	}
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "making a folder for the source: %w", err)
	}
	dir := filepath.Join(top, "tree")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "making a folder for the source: %w", err)
	}
	return dir, nil
}

// file unpacks a local tarball.
func (f *Fetcher) file(ctx context.Context, dir, name string) error {
	file, err := os.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return drydock.Errorf(drydock.Invalid, "the source %q does not exist", name).
			WithHint("it is a folder, a tarball, a git URL, an oci:// artifact, or - for a tarball on standard input")
	case err != nil:
		return drydock.Errorf(drydock.Invalid, "reading the source: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return drydock.Errorf(drydock.Invalid, "reading the source: %w", err)
	}
	if !info.Mode().IsRegular() {
		return drydock.Errorf(drydock.Invalid, "the source %q is neither a folder nor a file", name)
	}
	return f.unpack(ctx, dir, file, name)
}

// logf tells about progress.
func (f *Fetcher) logf(format string, args ...any) {
	if f.Log != nil {
		f.Log(format, args...)
	}
}
