package source

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// Refs are what a git repository points at.
type Refs struct {
	Commits map[string]string // by full ref
	// Default is the full ref of the default branch, which is in Commits whether
	// it was asked for or not; empty when the repository has no commits there.
	Default string
}

// Refs asks a git repository for its default branch, and for the refs of some
// patterns: full refs, in which * stands for any text. It fetches nothing. Errors
// are as those of Fetch.
func (f *Fetcher) Refs(ctx context.Context, spec string, patterns ...string) (Refs, error) {
	refs := Refs{Commits: map[string]string{}}
	err := f.atRemote(ctx, spec, func(git *gitRunner, g *gitURL) error {
		args := []string{"ls-remote", "--quiet", "--symref", g.remote, "HEAD"}
		for _, p := range patterns {
			args = append(args, p)
			if strings.HasPrefix(p, "refs/tags/") && !strings.HasSuffix(p, "*") {
				args = append(args, p+"^{}") // the commit of an annotated tag
			}
		}
		out, err := git.run(ctx, args...)
		if err != nil {
			return explain("asking "+g.shown()+" for its refs", err)
		}
		refs.read(out)
		return nil
	})
	return refs, err
}

// read reads what git ls-remote prints.
func (r *Refs) read(out string) {
	for line := range strings.SplitSeq(out, "\n") {
		if target, ok := strings.CutPrefix(line, "ref: "); ok {
			r.Default, _, _ = strings.Cut(target, "\t")
		}
	}
	found := parseRefs(out)
	for name, hash := range found {
		if _, isTag := found[name+"^{}"]; !isTag && name != "HEAD" {
			r.Commits[strings.TrimSuffix(name, "^{}")] = hash
		}
	}
	head, ok := found["HEAD"]
	switch {
	case !ok:
		r.Default = ""
	case r.Default == "":
		r.Default = "HEAD" // old servers don't say which branch that is
		fallthrough
	default:
		r.Commits[r.Default] = head
	}
}

// Changed returns the files that differ between two commits of a repository,
// relative to its top. Only their names are fetched, where the server can do
// that.
func (f *Fetcher) Changed(ctx context.Context, spec, before, after string) ([]string, error) {
	var paths []string
	err := f.atRemote(ctx, spec, func(git *gitRunner, g *gitURL) error {
		doing := "comparing two commits of " + g.shown()
		if !fullHash.MatchString(before) || !fullHash.MatchString(after) {
			return drydock.Errorf(drydock.Invalid, "%s: %q and %q are not two commits", doing, before, after)
		}
		for _, args := range [][]string{
			{"init", "--quiet", "--template="},
			{"remote", "add", "origin", g.remote},
			{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1", "--filter=blob:none", "origin", before, after},
		} {
			if _, err := git.run(ctx, args...); err != nil {
				return explain(doing, err)
			}
		}
		out, err := git.run(ctx, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", "--ignore-submodules=none", before, after)
		if err != nil {
			return explain(doing, err)
		}
		for name := range strings.SplitSeq(out, "\x00") {
			if name != "" {
				paths = append(paths, name)
			}
		}
		return nil
	})
	return paths, err
}

// atRemote calls do with a git for a repository, in a folder that is removed.
func (f *Fetcher) atRemote(ctx context.Context, spec string, do func(*gitRunner, *gitURL) error) error {
	g, err := parseGit(spec)
	if err != nil {
		return err
	}
	dir, err := f.scratch()
	if err != nil {
		return err
	}
	fetched := &Fetched{Dir: dir, remove: filepath.Dir(dir)}
	git, err := f.newGit(ctx, g, dir)
	if err == nil {
		err = do(git, g)
	}
	if err = errors.Join(err, fetched.Close()); err != nil && ctx.Err() != nil {
		return fmt.Errorf("asking a git repository: %w", context.Cause(ctx))
	}
	return single(err)
}
