package images_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/uuid"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// container is an image unpacked, to be run by runc.
type container struct {
	dir    string // the bundle
	config v1.Config
	host   bool // in the host's network instead of none
	env    []string
	mount  string // a folder to mount at /workspace, the working directory; may be ""
}

// unpack returns a container of the image called name.
func unpack(t *testing.T, name string) *container {
	t.Helper()
	img := get(t, shared(t), name)
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := &container{dir: t.TempDir(), config: file.Config}
	content := mutate.Extract(img)
	defer content.Close()
	if err := untar(content, filepath.Join(c.dir, "rootfs")); err != nil {
		t.Fatalf("unpacking %s: %v", name, err)
	}
	return c
}

// untar unpacks an archive of folders, files and symbolic links to dir.
func untar(r io.Reader, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tr := tar.NewReader(r)
	var folders []*tar.Header
	for {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeDir {
			folders = append(folders, header)
		}
		if err := untarEntry(tr, header, filepath.Join(dir, header.Name)); err != nil {
			return err
		}
	}
	for _, header := range folders {
		path := filepath.Join(dir, header.Name)
		if err := os.Chmod(path, header.FileInfo().Mode()); err != nil {
			return err
		}
		if err := os.Chown(path, header.Uid, header.Gid); err != nil {
			return err
		}
	}
	return nil
}

func untarEntry(content io.Reader, header *tar.Header, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(path, 0o755)
	case tar.TypeSymlink:
		return os.Symlink(header.Linkname, path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, header.FileInfo().Mode())
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, content); err != nil {
		return err
	}
	return f.Close()
}

// command returns runc that runs the image with args after its entrypoint, or
// with its own if there are none.
func (c *container) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	if len(args) == 0 {
		args = c.config.Cmd
	}
	spec, err := json.Marshal(c.spec(append(c.config.Entrypoint[:len(c.config.Entrypoint):len(c.config.Entrypoint)], args...)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), spec, 0o644); err != nil {
		t.Fatal(err)
	}
	state, id := t.TempDir(), "drydock-images-"+uuid.NewString()
	cmd := exec.CommandContext(t.Context(), "runc", "--root", state, "run", "--bundle", c.dir, id)
	t.Cleanup(func() {
		// The test's own context is over by now.
		_ = exec.CommandContext(context.Background(), "runc", "--root", state, "delete", "--force", id).Run()
	})
	return cmd
}

// spec returns how runc runs args: with the namespaces and capabilities of an
// ordinary container.
func (c *container) spec(args []string) *specs.Spec {
	capabilities := []string{"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID", "CAP_NET_BIND_SERVICE"}
	spec := &specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: "rootfs"},
		Process: &specs.Process{
			Args: args, Env: append(append([]string{"HOME=/root"}, c.config.Env...), c.env...), Cwd: "/",
			Capabilities: &specs.LinuxCapabilities{Bounding: capabilities, Effective: capabilities, Permitted: capabilities},
		},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.MountNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace},
		}},
	}
	if c.mount != "" {
		spec.Process.Cwd = "/workspace"
		spec.Mounts = append(spec.Mounts, specs.Mount{
			Destination: "/workspace", Type: "bind", Source: c.mount, Options: []string{"bind", "rw"},
		})
	}
	if !c.host {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	return spec
}

// run runs the image and returns what it prints and its exit status.
func (c *container) run(t *testing.T, args ...string) (output string, status int) {
	t.Helper()
	out, err := c.command(t, args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("running runc: %v (make setup installs it)", err)
	}
	if exit != nil {
		status = exit.ExitCode()
	}
	return string(out), status
}

// server is a container that runs until it is stopped.
type server struct {
	cmd  *exec.Cmd
	line chan string // the first line that it prints
	wait func() error
}

// start runs the image in the background.
func (c *container) start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{cmd: c.command(t, args...), line: make(chan string, 1)}
	s.cmd.Stdout = &firstLine{found: s.line}
	s.cmd.Stderr = s.cmd.Stdout
	if err := s.cmd.Start(); err != nil {
		t.Fatalf("running runc: %v (make setup installs it)", err)
	}
	s.wait = sync.OnceValue(s.cmd.Wait)
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.wait()
	})
	return s
}

// stop sends SIGTERM, which runc passes on, and returns how it ended.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.wait()
}

// firstLine sends the first line that is written to it.
type firstLine struct {
	mu    sync.Mutex
	text  bytes.Buffer
	found chan string
}

// Write takes part of the output.
func (w *firstLine) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := strings.Contains(w.text.String(), "\n")
	w.text.Write(p)
	if line, _, ok := strings.Cut(w.text.String(), "\n"); ok && !had {
		w.found <- line
	}
	return len(p), nil
}
