package buildkit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/upload/uploadprovider"
	"github.com/tonistiigi/fsutil"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/buildflags"
)

// buildContext is what a build may read.
type buildContext struct {
	dir       string // for private files
	url       string // remote context; empty for a folder
	filename  string // of the Dockerfile, in its folder or in the remote context
	dirs      filesync.StaticDirSource
	upload    *uploadprovider.Uploader // a context from standard input; may be nil
	sharedKey string                   // the same for builds of the same folder, of which only changed files are sent
	roots     []*os.Root
	private   int
}

// The names under which the Dockerfile frontend asks for folders.
const (
	contextFolder    = "context"
	dockerfileFolder = "dockerfile"
)

// openContext finds the context and the Dockerfile of a build.
func (s *session) openContext(b *build) (_ *buildContext, err error) {
	dir, err := os.MkdirTemp(s.dir, "b-")
	if err != nil {
		return nil, fmt.Errorf("making the build's folder: %w", err)
	}
	c := &buildContext{dir: dir, dirs: filesync.StaticDirSource{}, sharedKey: s.spec.Source}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	switch kind := buildflags.ContextKind(b.Flags.Context); kind {
	case buildflags.Local:
		return c, c.openFolder(b)
	case buildflags.Git, buildflags.Tarball:
		if _, _, err := dfgitutil.ParseGitRef(b.Flags.Context); kind == buildflags.Git && err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "%s is no git context: its URL does not end in .git", redacted(b.Flags.Context)).
				WithHint("make it the source of the run, and its folder the context")
		}
		c.url, c.filename = b.Flags.Context, remoteDockerfile(b.Flags.Dockerfile)
		return c, nil
	case buildflags.Stdin:
		return c, c.openStdin(b)
	default:
		return nil, drydock.Errorf(drydock.Invalid, "a %s context is not supported in a build step", kind).
			WithHint("make it the source of the run")
	}
}

// openFolder opens a folder of the workspace, and that of the Dockerfile.
func (c *buildContext) openFolder(b *build) error {
	root, err := c.openRoot(b, b.Flags.Context)
	if err != nil {
		return err
	}
	c.sharedKey += ":" + path.Join(inContainer(b.Dir), b.Flags.Context)
	if c.dirs[contextFolder], err = b.tree(root, b.Flags.Context); err != nil {
		return fmt.Errorf("opening the context: %w", err)
	}
	if sent := sentDockerfile(b); sent != "" {
		return c.takeSent(root, sent)
	}
	switch b.Flags.Dockerfile {
	case "":
		c.dirs[dockerfileFolder], c.filename = c.dirs[contextFolder], "Dockerfile"
		return nil
	case "-":
		return c.dockerfileFrom(b.Stdin)
	}
	c.filename = path.Base(b.Flags.Dockerfile)
	folder, err := c.openRoot(b, path.Dir(b.Flags.Dockerfile))
	if err != nil {
		return err
	}
	c.dirs[dockerfileFolder] = fsutil.NewRootFS(fsutil.NewRoot(folder))
	return nil
}

// sentName is how clients of ACR call the Dockerfile that they send with a folder:
// by a name that is another one each time.
var sentName = regexp.MustCompile(`^[0-9a-f]{32}_(.+)$`)

// sentDockerfile returns the name of a Dockerfile that a client put at the top of
// the context, or "". It is no part of what the user builds: copied along, it
// would make each build differ from the one before.
func sentDockerfile(b *build) string {
	folder, name := path.Split(b.Flags.Dockerfile)
	if path.Clean(folder) != path.Clean(b.Flags.Context) || !sentName.MatchString(name) {
		return ""
	}
	return name
}

// takeSent moves a Dockerfile that was sent with the context out of it, under the
// name that it has where it comes from, and with it an ignore file of its own.
func (c *buildContext) takeSent(root *os.Root, sent string) error {
	own := sentName.FindStringSubmatch(sent)[1]
	data, err := readSent(root, sent)
	if err != nil {
		return err
	}
	if err := c.useDockerfile(own, data); err != nil {
		return err
	}
	ignored, err := readSent(root, sent+ignoreSuffix)
	switch {
	case err == nil:
		err = os.WriteFile(filepath.Join(c.dir, dockerfileFolder, own+ignoreSuffix), ignored, 0o600)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return fmt.Errorf("reading the ignore file of the Dockerfile: %w", err)
	}
	c.dirs[contextFolder], err = fsutil.NewFilterFS(c.dirs[contextFolder], &fsutil.FilterOpt{ExcludePatterns: []string{sent, sent + ignoreSuffix}})
	if err != nil {
		return fmt.Errorf("leaving the Dockerfile out of the context: %w", err)
	}
	return nil
}

// ignoreSuffix makes of the name of a Dockerfile that of its ignore file.
const ignoreSuffix = ".dockerignore"

// readSent reads a file that was sent with the context. One that is larger than a
// Dockerfile may be is cut after the next byte.
func readSent(root *os.Root, name string) ([]byte, error) {
	file, err := root.Open(name)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "opening the Dockerfile: %w", withoutDir(err))
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxDockerfile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the Dockerfile: %w", withoutDir(err))
	}
	return data, nil
}

// openRoot opens a folder that the step sees; nothing outside it can be reached
// through it, whatever a step makes of the folder meanwhile.
func (c *buildContext) openRoot(b *build, name string) (*os.Root, error) {
	in, rel, err := c.find(b, name)
	if err != nil {
		return nil, err
	}
	root, err := openRootIn(in, rel)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "opening the folder %q: %w", name, withoutDir(err)).
			WithHint("it must be a folder of the workspace; links that lead out of it are not followed")
	}
	c.roots = append(c.roots, root)
	return root, nil
}

// find returns where a file is that the step sees: in a volume that is mounted
// there, or in the workspace.
func (c *buildContext) find(b *build, name string) (in *os.Root, rel string, err error) {
	full := name
	if !path.IsAbs(full) {
		full = path.Join(inContainer(b.Dir), full)
	}
	for _, m := range b.Mounts {
		rel, err := filepath.Rel(path.Clean(m.MountPath), path.Clean(full))
		if err != nil || !filepath.IsLocal(rel) {
			continue
		}
		dir, err := b.session.workspace.volumeDir(m.Name)
		if err != nil {
			return nil, "", err
		}
		volume, err := os.OpenRoot(dir)
		if err != nil {
			return nil, "", drydock.Errorf(drydock.Failed, "opening volume %q: %w", m.Name, withoutDir(err))
		}
		c.roots = append(c.roots, volume)
		return volume, rel, nil
	}
	rel, err = inWorkspace(b.Dir, name)
	return b.session.workspace.root, filepath.FromSlash(rel), err
}

// addFolder opens a folder of the workspace as a further context and returns
// the name that the frontend asks for it by.
func (c *buildContext) addFolder(b *build, name string) (string, error) {
	root, err := c.openRoot(b, name)
	if err != nil {
		return "", err
	}
	key := "folder-" + strconv.Itoa(len(c.roots))
	if c.dirs[key], err = b.tree(root, name); err != nil {
		return "", fmt.Errorf("opening the folder %q: %w", name, err)
	}
	return key, nil
}

// privateFile writes data to a file that the build's containers can't see.
func (c *buildContext) privateFile(data []byte) (string, error) {
	c.private++
	name := filepath.Join(c.dir, "private-"+strconv.Itoa(c.private))
	if err := os.WriteFile(name, data, 0o600); err != nil {
		return "", fmt.Errorf("keeping a file for the build: %w", err)
	}
	return name, nil
}

// Close closes the context's folders.
func (c *buildContext) Close() error {
	var errs []error
	for _, root := range c.roots {
		errs = append(errs, root.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}
