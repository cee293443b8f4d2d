package source

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
)

// git fetches a repository, its submodules and its large files.
func (f *Fetcher) git(ctx context.Context, fetched *Fetched, spec string) (err error) {
	g, err := parseGit(spec)
	if err != nil {
		return err
	}
	if f.Ref != "" && !refForm.MatchString(f.Ref) {
		return drydock.Errorf(drydock.Invalid, "%q can't be a ref", f.Ref)
	}
	dir := fetched.Dir
	git, err := f.newGit(ctx, g, dir)
	if err != nil {
		return err
	}
	defer func() { err = single(errors.Join(err, git.close())) }()
	f.logf("Fetching %s", g.shown())
	if _, err := git.run(ctx, "init", "--quiet", "--template="); err != nil {
		return explain("making a git repository", err)
	}
	if _, err := git.run(ctx, "remote", "add", "origin", g.remote); err != nil {
		return explain("making a git repository", err)
	}
	at := revision{hash: f.Pin.Commit, branch: f.Pin.Branch}
	if f.Pin.Commit == "" {
		at, err = git.resolve(ctx, g)
	} else {
		g.ref = f.Pin.Commit
	}
	if err != nil {
		return err
	}
	if err := git.checkout(ctx, g, at, f.Ref); err != nil {
		return err
	}
	if fetched.Commit, err = git.run(ctx, "rev-parse", "--verify", "HEAD"); err != nil {
		return explain("reading the commit of "+g.shown(), err)
	}
	fetched.Branch = at.branchName()
	f.logf("Fetched %s at commit %s", g.shown(), fetched.Commit)
	if f.Untrusted {
		git.forgetCredentials()
	}
	if err := git.submodules(ctx, g); err != nil {
		return err
	}
	if err := f.largeFiles(ctx, git); err != nil {
		return err
	}
	fetched.Dir, err = subdir(dir, g)
	return err
}

// subdir returns the folder of the URL's fragment, which must be in the tree.
func subdir(dir string, g *gitURL) (string, error) {
	if g.subdir == "" {
		return dir, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "opening the folder of the source: %w", err)
	}
	defer root.Close()
	info, err := root.Stat(g.subdir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", drydock.Errorf(drydock.Invalid, "%s has no folder %q at %s", g.shown(), g.subdir, g.refName())
	case escapes(err):
		return "", drydock.Errorf(drydock.Denied, "the folder %q of %s leads out of the repository", g.subdir, g.shown())
	case err != nil:
		return "", drydock.Errorf(drydock.Invalid, "opening the folder %q of %s: %w", g.subdir, g.shown(), err)
	case !info.IsDir():
		return "", drydock.Errorf(drydock.Invalid, "%q of %s is a file, not a folder", g.subdir, g.shown())
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, g.subdir))
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "opening the folder %q of %s: %w", g.subdir, g.shown(), err)
	}
	return real, nil
}

// refName names the ref for messages.
func (g *gitURL) refName() string {
	if g.ref == "" {
		return "its default branch"
	}
	return g.ref
}

// submodules fetches the submodules, and theirs: shallow, or whole where the
// server gives only that.
func (r *gitRunner) submodules(ctx context.Context, g *gitURL) error {
	if _, err := os.Lstat(filepath.Join(r.dir, ".gitmodules")); err != nil {
		return nil
	}
	_, err := r.run(ctx, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1")
	if err == nil || ctx.Err() != nil || said(err, "not allowed", "Authentication failed", "could not read Username") {
		return explain("fetching the submodules of "+g.shown(), err)
	}
	if _, err := r.run(ctx, "submodule", "--quiet", "deinit", "--all", "--force"); err != nil {
		return explain("fetching the submodules of "+g.shown(), err)
	}
	if err := os.RemoveAll(filepath.Join(r.dir, ".git", "modules")); err != nil {
		return drydock.Errorf(drydock.Unavailable, "fetching the submodules again: %w", err)
	}
	_, err = r.run(ctx, "submodule", "--quiet", "update", "--init", "--recursive")
	return explain("fetching the submodules of "+g.shown(), err)
}
