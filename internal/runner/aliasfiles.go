package runner

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
)

// aliasFiles reads what a task's `alias: src:` names: URLs and files. A file is
// looked for in the folder of the task file and then, as ACR has it, in the top
// folder of the source. It can't be outside of both: a task is not trusted with
// the machine's other files.
type aliasFiles struct {
	roots  []root
	client *http.Client
}

// root is a folder that files may be in, and a folder within it that their names
// are relative to.
type root struct{ dir, base string }

var _ plan.AliasSource = (*aliasFiles)(nil)

// newAliasFiles returns the alias files of a task; taskFile is the name of its
// file as Checkout.open takes it, empty when it is not a file.
func newAliasFiles(c *Checkout, taskFile string, client *http.Client) *aliasFiles {
	if client == nil {
		client = http.DefaultClient
	}
	a := &aliasFiles{client: client}
	folder := filepath.Dir(taskFile)
	switch {
	case taskFile == "" || folder == ".":
	case filepath.IsLocal(folder):
		a.roots = append(a.roots, root{c.Dir, folder})
	case filepath.IsAbs(folder):
		a.roots = append(a.roots, root{folder, "."})
	default:
		a.roots = append(a.roots, root{filepath.Join(c.Dir, folder), "."})
	}
	if c.Dir != "" {
		a.roots = append(a.roots, root{c.Dir, "."})
	}
	return a
}

// Fetch implements plan.AliasSource.
func (a *aliasFiles) Fetch(ctx context.Context, uri string) ([]byte, error) {
	if u, err := url.Parse(uri); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
		return a.download(ctx, u)
	}
	name := strings.TrimPrefix(uri, "file://")
	err := fs.ErrNotExist
	for _, r := range a.roots {
		var f *os.File
		if f, err = r.open(name); err == nil {
			defer f.Close()
			return ReadFile(uri, f)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, readError(uri, err)
}

// open refuses names that lead out of r.dir, absolute ones included.
func (r root) open(name string) (*os.File, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.base, name)
	}
	return os.OpenInRoot(r.dir, name)
}

func (a *aliasFiles) download(ctx context.Context, u *url.URL) ([]byte, error) {
	name := u.Redacted()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "reading %s: %w", name, transportError(ctx, err))
	}
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "reading %s: %w", name, transportError(ctx, err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, drydock.Errorf(drydock.Unavailable, "reading %s: the server says %s", name, resp.Status)
	}
	b, err := ReadFile(name, resp.Body)
	if err != nil && ctx.Err() != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "reading %s: %w", name, context.Cause(ctx))
	}
	return b, err
}

// transportError returns why a request failed without its URL, which may hold
// a password.
func transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
