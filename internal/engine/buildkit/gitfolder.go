package buildkit

import (
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

const gitFolder = ".git"

// keepGitArg is the build argument that keeps the repository in a context from
// git, as for the git contexts of `docker build`.
const keepGitArg = "BUILDKIT_CONTEXT_KEEP_GIT_DIR"

// tree returns a folder that the step names, as a build sees it: without the
// repository that the source was checked out from. Two checkouts of one commit
// differ in that, and nothing that was built from one would be of use to the other.
func (b *build) tree(root *os.Root, name string) (fsutil.FS, error) {
	files := fsutil.NewRootFS(fsutil.NewRoot(root))
	if !b.session.spec.Checkout || b.keepsGit() {
		return files, nil
	}
	top, err := inWorkspace(b.Dir, name)
	if err != nil {
		top = name // of a volume, which holds no checkout of ours
	}
	return fsutil.NewFilterFS(files, &fsutil.FilterOpt{Map: func(p string, stat *types.Stat) fsutil.MapResult {
		switch {
		case path.Base(p) != gitFolder:
			return fsutil.MapResultKeep
		case path.Join(top, p) == gitFolder && stat.IsDir():
			return fsutil.MapResultSkipDir
		case !stat.IsDir():
			return fsutil.MapResultExclude // of a submodule: it says where the repository is
		}
		return fsutil.MapResultKeep // a step made it
	}})
}

func (b *build) keepsGit() bool {
	for _, arg := range b.Flags.Args {
		if arg.Name == keepGitArg {
			keep, err := strconv.ParseBool(arg.Value)
			return err == nil && keep
		}
	}
	return false
}

// missesGit reports whether a message says that the repository is not there
// because it was left out.
func (b *build) missesGit(message string) bool {
	return b.session.spec.Checkout && !b.keepsGit() &&
		(strings.Contains(message, `/.git" is not there`) || strings.Contains(message, `"/.git/`))
}
