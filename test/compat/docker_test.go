//go:build docker

package compat_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// docker is a Docker daemon of this test's on the site's machine, which has all
// that it keeps in a folder and leaves the network alone, and a client of it.
type docker struct {
	*serve.Client
	host string
}

// startDocker starts the daemon. It ends with the test.
func startDocker(t *testing.T, a *sdk) *docker {
	t.Helper()
	// A socket's path must be short.
	dir, err := os.MkdirTemp("", "dd-docker-")
	if err != nil {
		t.Fatal(err)
	}
	group := filepath.Base(dir)
	t.Cleanup(func() {
		if err := errors.Join(removeGroups(group), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	d := &docker{Client: a.client(t), host: "unix://" + filepath.Join(dir, "sock")}
	config := filepath.Join(dir, "daemon.json")
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := a.site.machine.Command(t.Context(), "dockerd", "--config-file", config, "--host", d.host,
		"--data-root", filepath.Join(dir, "data"), "--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--cgroup-parent=/"+group, "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting dockerd: %v (make compat gets it)", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("dockerd's log:\n%s", text)
		}
	})
	d.waitFor(t, ended)
	return d
}

// removeGroups removes the control groups that Docker leaves, in either version.
func removeGroups(name string) error {
	groups, err := filepath.Glob("/sys/fs/cgroup/*/" + name)
	unified, unifiedErr := filepath.Glob("/sys/fs/cgroup/" + name)
	errs := []error{err, unifiedErr}
	for _, group := range append(groups, unified...) {
		// Two names of one hierarchy are the same folder.
		if err := os.Remove(group); !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// waitFor waits until the daemon answers.
func (d *docker) waitFor(t *testing.T, ended chan error) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		if _, _, status := d.Exec("docker", "--host", d.host, "info"); status == 0 {
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("dockerd ended: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatal("dockerd does not answer")
		}
	}
}

func (d *docker) run(args ...string) (output string, ok bool) {
	out, problems, status := d.Exec("docker", append([]string{"--host", d.host}, args...)...)
	return out + problems, status == 0
}

func (d *docker) must(t *testing.T, args ...string) string {
	t.Helper()
	out, ok := d.run(args...)
	if !ok {
		t.Fatalf("docker %s:\n%s", strings.Join(args, " "), out)
	}
	return out
}

// load brings an image to the daemon as a file, as `docker load` takes it.
func (d *docker) load(t *testing.T, reference string) {
	t.Helper()
	img := must(images.Get(t.Context(), images.HelloWorld))(t)
	file := filepath.Join(d.Dir, "image.tar")
	if err := tarball.WriteToFile(file, must(name.NewTag(reference))(t), img); err != nil {
		t.Fatal(err)
	}
	d.must(t, "load", "--input", file)
}

// Docker signs in, pushes, pulls and runs what it pulled.
func TestDocker(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"docker", "dockerd", "containerd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: make compat gets it", err)
		}
	}
	s := newSite(t)
	a := s.sdk(t)
	s.trust(t, a.registry)
	d := startDocker(t, a)
	t.Logf("%s", d.must(t, "version"))
	image := a.login + "/team/hello:v1"
	d.load(t, image)

	if out, ok := d.run("push", image); ok {
		t.Fatalf("nobody pushes:\n%s", out)
	}
	d.login(t, a, a.registry, "wrong", false)
	d.login(t, a, a.registry, a.adminUser(t), true)
	if out := d.must(t, "push", image); !strings.Contains(out, "digest: "+a.digest(t, image)) {
		t.Errorf("the push said\n%s", out)
	}
	d.must(t, "logout", a.login)
	d.must(t, "rmi", image)
	if out, ok := d.run("pull", image); ok {
		t.Errorf("nobody pulls:\n%s", out)
	}

	// By a service principal.
	d.login(t, a, a.Server.ClientID, a.Server.Secret, true)
	d.must(t, "pull", image)
	d.must(t, "logout", a.login)
	// By a token that may pull only, and by what `drydock acr login` wrote.
	_, passwords := a.token(t, "robot", "_repositories_pull")
	d.login(t, a, "robot", "wrong", false)
	d.login(t, a, "robot", *passwords[0].Value, true)
	d.must(t, "rmi", image)
	d.must(t, "pull", image)
	if out, ok := d.run("push", image); ok {
		t.Errorf("a token to pull with pushes:\n%s", out)
	}
	d.must(t, "logout", a.login)
	d.Must("acr", "login", "-n", a.registry)
	d.must(t, "tag", image, a.login+"/team/hello:v2")
	d.must(t, "push", a.login+"/team/hello:v2")
	d.must(t, "rmi", image, a.login+"/team/hello:v2")
	if out := d.must(t, "run", "--rm", "--network=none", a.login+"/team/hello:v2"); !strings.Contains(out, "Hello") {
		t.Errorf("the image said %q", out)
	}
	// What a run of the server built is Docker's to run.
	id, _ := a.schedule(t, builtImage(a))
	if out := d.must(t, "run", "--rm", "--network=none", a.login+"/built:"+id, "cat", "/greeting"); !strings.Contains(out, "from a run") {
		t.Errorf("the built image said %q", out)
	}
}

// login signs in with a password on standard input.
func (d *docker) login(t *testing.T, a *sdk, user, password string, works bool) {
	t.Helper()
	cmd := d.Machine.Command(t.Context(), "docker", "--host", d.host, "login", "--username", user, "--password-stdin", a.login)
	cmd.Env, cmd.Dir = d.Env, d.Dir
	in := must(cmd.StdinPipe())(t)
	go func() {
		_, _ = io.WriteString(in, password)
		_ = in.Close()
	}()
	if out, err := cmd.CombinedOutput(); (err == nil) != works {
		t.Fatalf("docker login as %s: %v\n%s", user, err, out)
	}
}
