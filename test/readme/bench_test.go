package readme_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

const root = "../.."

// bench is where the README is tried out: a machine with the repository's
// examples and without Drydock, as a reader has it after a clone.
type bench struct {
	dir        string // the clone
	env        []string
	machine    *serve.Machine
	drydockd   string             // the program
	hub, local *registry.Registry // Docker Hub, and the reader's at localhost:5000
	repository string             // URL of this one, as a git host has it
}

func newBench(t *testing.T) *bench {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("containers need root: run the tests with `make test`")
	}
	b := &bench{
		dir: t.TempDir(), machine: serve.NewMachine(t, "/usr/local/bin"),
		hub: registry.Start(t, registry.Options{}), local: registry.Start(t, registry.Options{}),
	}
	if err := images.Push(t.Context(), b.hub.Host, images.Busybox+"=library/"+images.Busybox); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(b.dir, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	b.repository = publish(t)
	b.programs(t)
	home := t.TempDir()
	b.env = append(os.Environ(), "HOME="+home, "DOCKER_CONFIG="+filepath.Join(home, ".docker"), "REGISTRY_AUTH_FILE="+filepath.Join(home, ".docker", "config.json"),
		"DRYDOCK_CONFIG_DIR="+filepath.Join(home, ".config", "drydock"), "PATH="+filepath.Join(b.dir, ".shims")+":/usr/local/bin:"+os.Getenv("PATH"))
	return b
}

// publish makes a git repository of the examples, as the branch main of this one
// has them, and returns its URL.
func publish(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	clone := filepath.Join(dir, "drydock.git")
	if err := os.CopyFS(filepath.Join(clone, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "one"},
	} {
		if out, err := exec.Command("git", append([]string{"-C", clone}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git, err := serve.GitHandler(dir)
	if err != nil {
		t.Fatal(err)
	}
	host := httptest.NewServer(git)
	t.Cleanup(host.Close)
	return host.URL + "/drydock.git"
}

// programs puts programs in front of those of the machine: sudo for the one who
// is root already; make, which has built before; and drydockd, which keeps its
// caches and finds Docker Hub where the test has them.
func (b *bench) programs(t *testing.T) {
	t.Helper()
	built, cache := t.TempDir(), t.TempDir()
	var err error
	if b.drydockd, err = gotool.Drydockd(t.Context(), root, built); err != nil {
		t.Fatal(err)
	}
	drydock, err := gotool.Drydock(t.Context(), root, built)
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	shims := filepath.Join(b.dir, ".shims")
	if err := os.Mkdir(shims, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"sudo": `exec "$@"`,
		"make": fmt.Sprintf("/usr/bin/make --dry-run --directory %s \"$@\" >/dev/null\nmkdir bin\ncp %s %s bin/", source, b.drydockd, drydock),
		"drydockd": fmt.Sprintf(`command=$1
shift
case $command in
exec | build) set -- --mirror docker.io=%s --data %s "$@" ;;
du | prune) set -- --data %[2]s "$@" ;;
esac
exec /usr/local/bin/drydockd "$command" "$@"`, b.hub.URL, cache),
	} {
		if err := os.WriteFile(filepath.Join(shims, name), []byte("#!/bin/sh -e\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
