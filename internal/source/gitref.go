package source

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/drydockhq/drydock"
)

// revision is what a ref turned out to be at the remote.
type revision struct {
	ref  string // full name of the ref at the remote; empty for a commit
	hash string // commit, maybe shortened
	// branch is what is checked out of a commit that is pinned; empty for none.
	branch string
}

// branchName returns the branch, or "HEAD" as git says when none is checked out.
func (v revision) branchName() string {
	if v.branch != "" {
		return v.branch
	}
	if name, ok := strings.CutPrefix(v.ref, "refs/heads/"); ok {
		return name
	}
	return "HEAD"
}

var (
	fullHash  = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	shortHash = regexp.MustCompile(`^[0-9a-f]{7,63}$`)
	pullRef   = regexp.MustCompile(`^pull/[0-9]+/(head|merge)$`)
)

// resolve asks the remote what the ref of the URL is: a branch, a tag, a ref by
// its full name, a pull request, or, when it is none of them, a commit.
func (r *gitRunner) resolve(ctx context.Context, g *gitURL) (revision, error) {
	doing := "asking " + g.shown() + " for its refs"
	if g.ref == "" {
		return r.defaultBranch(ctx, g, doing)
	}
	candidates := []string{"refs/heads/" + g.ref, "refs/tags/" + g.ref}
	switch {
	case strings.HasPrefix(g.ref, "refs/"):
		candidates = []string{g.ref}
	case pullRef.MatchString(g.ref):
		candidates = append(candidates, "refs/"+g.ref)
	}
	out, err := r.run(ctx, append([]string{"ls-remote", "--quiet", "origin"}, candidates...)...)
	if err != nil {
		return revision{}, explain(doing, err)
	}
	refs := parseRefs(out)
	for _, c := range candidates {
		if hash, ok := refs[c]; ok {
			return revision{ref: c, hash: hash}, nil
		}
	}
	if fullHash.MatchString(g.ref) || shortHash.MatchString(g.ref) {
		return revision{hash: g.ref}, nil
	}
	return revision{}, r.noSuchRef(ctx, g)
}

// defaultBranch asks the remote for its HEAD.
func (r *gitRunner) defaultBranch(ctx context.Context, g *gitURL, doing string) (revision, error) {
	out, err := r.run(ctx, "ls-remote", "--quiet", "--symref", "origin", "HEAD")
	if err != nil {
		return revision{}, explain(doing, err)
	}
	hash, ok := parseRefs(out)["HEAD"]
	if !ok {
		return revision{}, drydock.Errorf(drydock.Invalid, "%s has no commits on its default branch", g.shown()).
			WithHint("name a branch: URL#branch")
	}
	v := revision{ref: "HEAD", hash: hash}
	for line := range strings.SplitSeq(out, "\n") {
		if target, ok := strings.CutPrefix(line, "ref: "); ok {
			v.ref, _, _ = strings.Cut(target, "\t")
		}
	}
	return v, nil
}

// parseRefs reads what git ls-remote prints: hash, tab, name.
func parseRefs(out string) map[string]string {
	refs := map[string]string{}
	for line := range strings.SplitSeq(out, "\n") {
		if hash, name, ok := strings.Cut(line, "\t"); ok && fullHash.MatchString(hash) {
			refs[name] = hash
		}
	}
	return refs
}

// noSuchRef says that the remote does not know the ref, and what it does know.
func (r *gitRunner) noSuchRef(ctx context.Context, g *gitURL) error {
	e := drydock.Errorf(drydock.Invalid, "%s has no branch, tag or commit %q", g.shown(), g.ref)
	out, err := r.run(ctx, "ls-remote", "--quiet", "--heads", "--tags", "--refs", "origin")
	if err != nil {
		return e // the hint is a courtesy
	}
	if names := near(g.ref, parseRefs(out)); len(names) > 0 {
		return e.WithHint("it has %s", strings.Join(names, ", "))
	}
	return e
}

// near returns the names most like a ref, at most five. Refs that start with it
// or contain it are near too.
func near(ref string, refs map[string]string) []string {
	type scored struct {
		name  string
		score float64
	}
	var all []scored
	for full := range refs {
		name := strings.TrimPrefix(strings.TrimPrefix(full, "refs/heads/"), "refs/tags/")
		score := levenshtein.Similarity(strings.ToLower(ref), strings.ToLower(name), nil)
		if strings.Contains(name, ref) || strings.Contains(ref, name) {
			score++
		}
		all = append(all, scored{name, score})
	}
	slices.SortFunc(all, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.name, b.name))
	})
	var names []string
	for _, s := range all[:min(len(all), 5)] {
		names = append(names, s.name)
	}
	return slices.Compact(names)
}

// checkout fetches a revision, as little of it as the server allows, and checks
// it out. A commit may be found at a ref that is not a branch, if one is named.
func (r *gitRunner) checkout(ctx context.Context, g *gitURL, v revision, ref string) error {
	err := r.fetchOne(ctx, v)
	target := "FETCH_HEAD"
	if err != nil && v.ref == "" {
		// The server gives no single commits, or it is a shortened one.
		if err = r.fetchAll(ctx, ref); err == nil {
			target, err = r.run(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", v.hash+"^{commit}")
			if err != nil && ctx.Err() == nil {
				return r.noSuchRef(ctx, g)
			}
		}
	}
	if err != nil {
		return explain("fetching "+g.refName()+" of "+g.shown(), err)
	}
	args := []string{"checkout", "--quiet", "--force", "--detach", target}
	if branch := v.branchName(); branch != "HEAD" {
		args = []string{"checkout", "--quiet", "--force", "--no-track", "-B", branch, target}
	}
	if _, err := r.run(ctx, args...); err != nil {
		return explain("checking out "+g.refName()+" of "+g.shown(), err)
	}
	return nil
}

// fetchOne fetches one revision without its history, or with it where the server
// can do no less.
func (r *gitRunner) fetchOne(ctx context.Context, v revision) error {
	what := v.ref
	if what == "" {
		if !fullHash.MatchString(v.hash) {
			return errors.New("a shortened commit can't be fetched")
		}
		what = v.hash
	}
	_, err := r.run(ctx, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--depth=1", "origin", what)
	if said(err, "does not support shallow") {
		_, err = r.run(ctx, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "origin", what)
	}
	return err
}

// fetchAll fetches all branches and tags with their history, and that of another
// ref if one is named.
func (r *gitRunner) fetchAll(ctx context.Context, ref string) error {
	if ref != "" {
		// It may be gone, while the commit is in a branch.
		_, err := r.run(ctx, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "origin", "+"+ref+":refs/remotes/drydock/"+ref)
		if ctx.Err() != nil {
			return err
		}
	}
	_, err := r.run(ctx, "fetch", "--quiet", "--tags", "--no-recurse-submodules", "origin", "+refs/heads/*:refs/remotes/origin/*")
	return err
}
