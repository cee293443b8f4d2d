package buildkit_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// box returns a container of a run that writes to out.
func (r *testRun) box(name, image string, args ...string) (c engine.Container, out *output) {
	out = &output{}
	return engine.Container{
		Name: name, Image: image, Args: args, Dir: r.dir, Network: drydock.DefaultNetwork,
		Stdout: out, Stderr: out,
	}, out
}

// write puts the files of a txtar archive into the workspace.
func (r *testRun) write(files string) {
	r.t.Helper()
	for _, file := range txtar.Parse([]byte(files)).Files {
		f, err := r.OpenFile(r.dir, file.Name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
		if err != nil {
			r.t.Fatal(err)
		}
		_, err = f.Write(file.Data)
		if err := errors.Join(err, f.Close()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// mustRun runs a container that has to succeed.
func (r *testRun) mustRun(c engine.Container) {
	r.t.Helper()
	if err := r.Run(r.t.Context(), c); err != nil {
		r.t.Fatalf("container %s: %v\n%s", c.Name, err, c.Stdout)
	}
}

// start runs a container in the background and returns when it runs.
func (r *testRun) start(c engine.Container) <-chan error {
	r.t.Helper()
	started, ended := make(chan struct{}), make(chan error, 1)
	c.Started = func() { close(started) }
	go func() { ended <- r.Run(r.t.Context(), c) }()
	select {
	case <-started:
	case err := <-ended:
		r.t.Fatalf("container %s ended before it was started: %v\n%s", c.Name, err, c.Stdout)
	}
	return ended
}

func wantExit(t *testing.T, err error, status int, parts ...string) {
	t.Helper()
	var exit *drydock.ExitError
	if !errors.As(err, &exit) || exit.Status != status {
		t.Errorf("error is %v, want exit status %d", err, status)
		return
	}
	wantContains(t, "the error", err.Error(), parts...)
}

// newBox opens an executor and a run on files, with a registry that has the
// image busybox.
func newBox(t *testing.T, files string, change ...func(*engine.RunSpec)) (r *testRun, busybox string) {
	t.Helper()
	reg := newRegistry(t, registry.Options{}, "busybox")
	return openRun(t, newExecutor(t, buildkit.Config{}), files, change...), reg.Host + "/busybox"
}

func TestEntryPoint(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	for name, test := range map[string]struct {
		entry string
		args  []string
		want  string
	}{
		"words":     {"echo a  b", nil, "a b\n"},
		"quotes":    {`sh -c 'echo "$1|$2"' sh "two words"`, []string{"x y"}, "two words|x y\n"},
		"variables": {"echo $GREETING", []string{"$GREETING"}, "hello $GREETING\n"},
	} {
		t.Run(name, func(t *testing.T) {
			c, out := r.box("entry", busybox, test.args...)
			c.EntryPoint, c.Env = test.entry, []string{"GREETING=hello"}
			r.mustRun(c)
			wantEqual(t, "output", out.String(), test.want)
		})
	}
	c, _ := r.box("entry", busybox)
	c.EntryPoint = `sh -c "echo`
	wantError(t, r.Run(t.Context(), c), drydock.Invalid, "entryPoint")
	c.EntryPoint = "echo $(id)"
	wantError(t, r.Run(t.Context(), c), drydock.Invalid, "entryPoint")
}

// An entry point of the step replaces the image's command too, as docker does.
func TestEntryPointReplacesCommand(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	r.write("-- Dockerfile --\nFROM " + busybox + "\nENTRYPOINT [\"echo\", \"entry\"]\nCMD [\"command\"]\n")
	r.build("-t", "talker", ".")
	for _, test := range []struct {
		entry string
		args  []string
		want  string
	}{
		{"", nil, "entry command\n"},
		{"", []string{"args"}, "entry args\n"},
		{"echo mine", nil, "mine\n"},
	} {
		c, out := r.box("talker", "talker", test.args...)
		c.EntryPoint = test.entry
		r.mustRun(c)
		wantEqual(t, "output", out.String(), test.want)
	}
}

func TestNoCommand(t *testing.T) {
	t.Parallel()
	r, _ := newBox(t, "-- Dockerfile --\nFROM scratch\nCOPY Dockerfile /\n")
	r.build("-t", "empty", ".")
	c, _ := r.box("empty", "empty")
	wantError(t, r.Run(t.Context(), c), drydock.Failed, "has no command")
}

func TestUser(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	r.write("-- Dockerfile --\nFROM " + busybox + `
RUN printf 'root:x:0:0::/:/bin/sh\napp:x:1234:2345::/:/bin/sh\n' >/etc/passwd && printf 'root:x:0:\napp:x:2345:\nmore:x:3456:app\n' >/etc/group
USER app
`)
	r.build("-t", "users", ".")
	for user, want := range map[string]string{
		"":         "1234:2345:2345 3456\n",
		"app":      "1234:2345:2345 3456\n",
		"app:more": "1234:3456:3456\n",
		"root":     "0:0:0\n",
		"77":       "77:0:0\n",
		"77:88":    "77:88:88\n",
	} {
		c, out := r.box("user", "users", "sh", "-c", `echo "$(id -u):$(id -g):$(id -G)"`)
		c.User = user
		r.mustRun(c)
		wantEqual(t, "user "+user, out.String(), want)
	}
	c, _ := r.box("user", "users", "id")
	c.User = "nobody-knows"
	wantError(t, r.Run(t.Context(), c), drydock.Failed, "nobody-knows", "users")
}

func TestEnv(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	r.write("-- Dockerfile --\nFROM " + busybox + "\nENV A=image B=image HOME=/image HOSTNAME=image\n")
	r.build("-t", "env", ".")
	c, out := r.box("named", "env", "env")
	c.Env = []string{"B=step", "C=step"}
	r.mustRun(c)
	wantContains(t, "environment", "\n"+out.String(), "\nA=image\n", "\nB=step\n", "\nC=step\n", "\nHOME=/acb/home\n", "\nHOSTNAME=named\n", "\nPATH=/usr/local/sbin:")
	c, out = r.box("named", "env", "/usr/bin/env")
	c.Env = []string{"HOME=/step", "PATH=/bin:/mine"}
	r.mustRun(c)
	wantContains(t, "environment", "\n"+out.String(), "\nHOME=/step\n", "\nPATH=/bin:/mine\n")
}

func TestSharedFolders(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	r.run(busybox, "echo kept >$HOME/note; echo FROM "+busybox+">made; echo COPY made /copied >>made")
	wantEqual(t, "the note", r.run(busybox, "cat /acb/home/note"), "kept\n")
	r.build("-t", "shared", "-f", "made", ".")
	wantContains(t, "the copy", r.run("shared", "cat /copied"), "COPY made")
}

func TestWorkingDirectory(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	r.write("-- Dockerfile --\nFROM " + busybox + "\nWORKDIR /srv/app\n")
	r.build("-t", "placed", ".")
	for dir, want := range map[string]string{
		"":               "/srv/app\n", // as disableWorkingDirectoryOverride asks for
		"new/deep":       "/workspace/new/deep\n",
		"/not/there/yet": "/not/there/yet\n",
		"../etc":         "/etc\n",
	} {
		c, out := r.box("placed", "placed", "pwd")
		c.Dir = dir
		r.mustRun(c)
		wantEqual(t, "directory of "+dir, out.String(), want)
	}
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, `
-- plain.sh --
#!/bin/sh
echo ran
-- lost.sh --
#!/no/such/interpreter
-- text --
neither script nor program
`)
	r.run(busybox, "chmod 755 lost.sh text")
	for name, test := range map[string]struct {
		args   []string
		status int
		says   []string
	}{
		"no run bit":   {[]string{"./plain.sh"}, 126, []string{"chmod +x", "./plain.sh"}},
		"a folder":     {[]string{"/workspace"}, 126, nil},
		"not found":    {[]string{"nope"}, 127, []string{"nope"}},
		"no such path": {[]string{"./nope"}, 127, []string{"./nope"}},
		"its own":      {[]string{"sh", "-c", "exit 42"}, 42, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, out := r.box("status", busybox, test.args...)
			err := r.Run(t.Context(), c)
			wantExit(t, err, test.status, test.says...)
			if text := out.String(); text != "" {
				t.Errorf("the step wrote what its error says already: %q", text)
			}
		})
	}
	// These fail after runc has handed over to them.
	for file, says := range map[string]string{"lost.sh": "no such file", "text": "exec format error"} {
		c, out := r.box("status", busybox, "./"+file)
		if err := r.Run(t.Context(), c); err == nil {
			t.Errorf("%s ran", file)
		}
		wantContains(t, "output", out.String(), "./"+file, says)
	}
	// What runc writes is no different from what a step may write.
	c, out := r.box("status", busybox, "sh", "-c", "echo runc run failed: not really >&2; exit 3")
	wantExit(t, r.Run(t.Context(), c), 3)
	wantEqual(t, "output", out.String(), "runc run failed: not really\n")
}

// Modes of the source's files are kept, and those that a step sets.
func TestFileModes(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	script := filepath.Join(source, "run.sh")
	if err := errors.Join(os.WriteFile(script, []byte("#!/bin/sh\necho ran\n"), 0o600), os.Chmod(script, 0o750)); err != nil {
		t.Fatal(err)
	}
	r, busybox := newBox(t, "", func(s *engine.RunSpec) { s.Source = source })
	wantEqual(t, "output", r.run(busybox, "./run.sh; stat -c %a run.sh; cp run.sh x; chmod 711 x"), "ran\n750\n")
	wantEqual(t, "output", r.run(busybox, "./x; stat -c %a x"), "ran\n711\n")
}

func TestCPUs(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	c, out := r.box("cpus", busybox, "sh", "-c", "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max")
	c.CPUs = "0.5"
	r.mustRun(c)
	wantEqual(t, "quota and period", strings.Join(strings.Fields(out.String()), " "), "50000 100000")
	for _, cpus := range []string{"many", "0", "-1", "NaN", "Inf"} {
		c, _ := r.box("cpus", busybox, "true")
		c.CPUs = cpus
		wantError(t, r.Run(t.Context(), c), drydock.Invalid, "cpus", cpus)
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "", func(s *engine.RunSpec) {
		s.Volumes = []drydock.Volume{
			{Name: "one", Files: map[string][]byte{"a.txt": []byte("A"), "..b": []byte("B")}},
			{Name: "two", Files: map[string][]byte{"c": []byte("C")}},
		}
	})
	c, out := r.box("volumes", busybox, "sh", "-c", "cat /run/one/a.txt /run/one/..b /workspace/in/c; echo >/run/one/new")
	c.Mounts = []drydock.VolumeMount{{Name: "one", MountPath: "/run/one"}, {Name: "two", MountPath: "/workspace/in"}}
	r.mustRun(c)
	wantEqual(t, "files", out.String(), "ABC")
	for _, name := range []string{"three", "..", ".", "", "../home", "one/a.txt"} {
		c, _ := r.box("volumes", busybox, "true")
		c.Mounts = []drydock.VolumeMount{{Name: name, MountPath: "/mnt"}}
		wantError(t, r.Run(t.Context(), c), drydock.Invalid, "volume")
	}
}

func TestVolumeNames(t *testing.T) {
	t.Parallel()
	e := newExecutor(t, buildkit.Config{})
	for _, v := range []drydock.Volume{
		{Name: ".."},
		{Name: "a/b"},
		{Name: "v", Files: map[string][]byte{"..": nil}},
		{Name: "v", Files: map[string][]byte{"../../escaped": nil}},
		{Name: "v", Files: map[string][]byte{"/escaped": nil}},
	} {
		s, err := e.Open(t.Context(), engine.RunSpec{ID: "v", Volumes: []drydock.Volume{v}})
		if err == nil {
			t.Errorf("volume %v was made", v)
			_ = s.Close()
			continue
		}
		wantError(t, err, drydock.Invalid, "volume")
	}
}

func TestPrivileged(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox")
	e := newExecutor(t, buildkit.Config{})
	const script = "mount -t tmpfs none /mnt && grep CapEff /proc/self/status"
	allowed := openRun(t, e, "", func(s *engine.RunSpec) { s.AllowPrivileged = true })
	c, out := allowed.box("boss", reg.Host+"/busybox", "sh", "-c", script)
	c.Privileged = true
	allowed.mustRun(c)
	if strings.Contains(out.String(), "00000000a80425fb") {
		t.Errorf("a privileged step has the capabilities of any other: %s", out)
	}
	c.Privileged = false
	if err := allowed.Run(t.Context(), c); err == nil {
		t.Error("a step that is not privileged mounts")
	}
	refused := openRun(t, e, "")
	c, _ = refused.box("boss", reg.Host+"/busybox", "true")
	c.Privileged = true
	wantError(t, refused.Run(t.Context(), c), drydock.Denied, "--allow-privileged")
}
