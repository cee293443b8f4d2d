package enginetest

import (
	"io"
	"os"
	"path"
	"strings"

	"github.com/drydockhq/drydock"
)

// Where containers see the folders of a run.
const (
	workspace = "/workspace"
	home      = "/acb/home"
)

// OpenFile implements engine.Session.
func (s *session) OpenFile(dir, name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	full := absolute(dir, name)
	if full == os.DevNull {
		return os.OpenFile(os.DevNull, flag, perm)
	}
	rel, ok := inWorkspace(full)
	if !ok {
		return nil, drydock.Errorf(drydock.Denied, "%s is outside the workspace", name)
	}
	return s.root.OpenFile(rel, flag, perm)
}

// absolute returns the path of a name in a container whose working directory
// is dir.
func absolute(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	if !path.IsAbs(dir) {
		dir = path.Join(workspace, dir)
	}
	return path.Join(dir, name)
}

// inWorkspace returns a path relative to the workspace.
func inWorkspace(full string) (string, bool) {
	if full == workspace {
		return ".", true
	}
	return strings.CutPrefix(full, workspace+"/")
}

// mounted returns a file of a volume of the container.
func (p *Process) mounted(full string) ([]byte, bool) {
	for _, m := range p.Mounts {
		name, ok := strings.CutPrefix(full, m.MountPath+"/")
		if !ok {
			continue
		}
		for _, v := range p.session.spec.Volumes {
			if content, ok := v.Files[name]; ok && v.Name == m.Name {
				return content, true
			}
		}
	}
	return nil, false
}

// open opens a file as the container sees it.
func (p *Process) open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error) {
	if content, ok := p.mounted(absolute(p.Dir, name)); ok {
		return readOnly{strings.NewReader(string(content))}, nil
	}
	if rel, ok := strings.CutPrefix(absolute(p.Dir, name), home+"/"); ok {
		return p.session.home.OpenFile(rel, flag, perm)
	}
	return p.session.OpenFile(p.Dir, name, flag, perm)
}

type readOnly struct{ io.Reader }

func (readOnly) Write([]byte) (int, error) { return 0, os.ErrPermission }

func (readOnly) Close() error { return nil }
