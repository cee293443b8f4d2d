package source

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/drydockhq/drydock"
)

// local takes a folder as it is, and tells the commit and branch of a git work
// tree.
func (f *Fetcher) local(ctx context.Context, spec string) (*Fetched, error) {
	dir, err := filepath.Abs(spec)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "looking at the source %q: %w", spec, err)
	}
	fetched := &Fetched{Dir: dir}
	fetched.Commit, fetched.Branch = f.workTree(ctx, dir)
	return fetched, nil
}

// workTree reads the commit and branch that a folder of a git work tree is at.
// Both are empty where there is none, or no git: they are nothing but facts for
// the log.
func (f *Fetcher) workTree(ctx context.Context, dir string) (commit, branch string) {
	program, err := f.program("git")
	if err != nil {
		return "", ""
	}
	git := &gitRunner{program: program, dir: dir, env: append(append(f.gitEnv("/nonexistent", nil), configEnv(baseConfig)...), "GIT_OPTIONAL_LOCKS=0"), as: owner(dir)}
	commit, err = git.run(ctx, "rev-parse", "--verify", "--quiet", "HEAD")
	if err != nil {
		return "", ""
	}
	branch, err = git.run(ctx, "rev-parse", "--abbrev-ref", "HEAD")
	if err != nil {
		return commit, "HEAD"
	}
	return commit, branch
}

// owner returns whose rights git gets for a folder: root has those of the
// folder's owner, since the configuration in it can name programs.
func owner(dir string) *syscall.Credential {
	info, err := os.Stat(dir)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	return &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
}
