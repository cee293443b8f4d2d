package source

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// withLFS are options of git with which git-lfs puts contents in the place of
// pointers. They are for its own commands only: a checkout leaves the pointers,
// also where git-lfs is not installed.
var withLFS = []string{
	"-c", "filter.lfs.clean=git-lfs clean -- %f", "-c", "filter.lfs.smudge=git-lfs smudge -- %f",
	"-c", "filter.lfs.process=git-lfs filter-process", "-c", "filter.lfs.required=true",
}

// largeFiles fetches what is kept in Git LFS, or says that it is not there.
func (f *Fetcher) largeFiles(ctx context.Context, git *gitRunner) error {
	files, err := git.run(ctx, "ls-files", "--recurse-submodules", "--", ":(attr:filter=lfs)")
	if err != nil && said(err, "attr", "recurse-submodules") { // not known together to older gits
		files, err = git.run(ctx, "ls-files", "--", ":(attr:filter=lfs)")
	}
	if err != nil || files == "" {
		return explain("looking for files in Git LFS", err)
	}
	if _, err := f.program("git-lfs"); err != nil {
		f.logf("WARNING: %d files are kept in Git LFS and git-lfs is not installed: they hold pointers instead of their contents", strings.Count(files, "\n")+1)
		return nil
	}
	if _, err := git.runLFS(ctx, "lfs", "pull"); err != nil {
		return explain("fetching the files in Git LFS", err)
	}
	if _, err := os.Lstat(filepath.Join(git.dir, ".gitmodules")); err == nil {
		_, err = git.runLFS(ctx, "submodule", "--quiet", "foreach", "--recursive", "git lfs pull")
		return explain("fetching the files in Git LFS of the submodules", err)
	}
	return nil
}

// runLFS runs git with what git-lfs needs.
func (r *gitRunner) runLFS(ctx context.Context, args ...string) (string, error) {
	out, err := r.run(ctx, slices.Concat(withLFS, args)...)
	var g *gitError
	if errors.As(err, &g) {
		g.command = args[0]
	}
	return out, err
}

// openLoopback makes a remote of this machine reachable for git-lfs, which, as
// programs in Go do, asks no proxy for localhost and loopback addresses.
func (r *gitRunner) openLoopback(g *gitURL) {
	u, err := url.Parse(g.origin)
	if err != nil || g.origin == "" {
		return
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); host == "localhost" || err == nil && addr.Unmap().IsLoopback() {
		r.in.Open(net.JoinHostPort(host, port))
	}
}
