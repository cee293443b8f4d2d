package script_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/gotool"
	"github.com/drydockhq/drydock/test/serve"
)

// suite is what all scripts share.
type suite struct {
	program string // drydockd
	client  string // drydock
	hub     hub
	root    string // of the scripts' folders
	shared  sharedServer
}

func newSuite(t *testing.T) *suite {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("containers need root: run the tests with `make test`")
	}
	dir := t.TempDir()
	program, err := gotool.Drydockd(t.Context(), "../..", dir)
	if err != nil {
		t.Fatal(err)
	}
	client, err := gotool.Drydock(t.Context(), "../..", dir)
	if err != nil {
		t.Fatal(err)
	}
	s := &suite{program: program, client: client, root: t.TempDir()}
	if err := s.hub.start(t); err != nil {
		t.Fatalf("starting the registry of base images: %v", err)
	}
	return s
}

func TestScripts(t *testing.T) {
	t.Parallel()
	s := newSuite(t)
	s.shared.parent = t
	s.shared.start = func(t serve.TB) *serve.Server { return s.serve(t, "--runs-slots=4", "--sources-files="+s.root) }
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		WorkdirRoot:        s.root,
		Setup:              func(e *testscript.Env) error { return s.setup(e) },
		Cmds:               commands(),
		RequireUniqueNames: true,
	})
}

// world is what one script has.
type world struct {
	*suite
	ctx     context.Context
	work    string // the script's folder
	data    string
	own     *counted
	servers servers
	outputs strings.Builder // of all calls of drydockd and drydock
	status  int             // of the last one
	t       serve.TB
	name    string        // of the script
	server  *serve.Server // that the client is for; nil before there is one
}

type worldKey struct{}

// of returns the world of a script.
func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// setup makes the world of a script.
func (s *suite) setup(e *testscript.Env) error {
	ctx, cancel := context.WithCancel(context.Background())
	e.Defer(cancel)
	w := &world{suite: s, ctx: ctx, work: e.WorkDir, servers: servers{}, t: e.T().(serve.TB)}
	w.name = strings.TrimPrefix(filepath.Base(e.WorkDir), "script-")
	e.Values[worldKey{}] = w
	if err := w.newData(); err != nil {
		return err
	}
	e.Defer(func() {
		if err := removeData(w.data); err != nil {
			e.T().Fatal(fmt.Sprintf("cleaning up: %v", err))
		}
	})
	host, err := w.startServers(e)
	if err != nil {
		return err
	}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	home := filepath.Join(e.WorkDir, ".home")
	if err := os.MkdirAll(home, 0o755); err != nil {
		return err
	}
	e.Setenv("HOME", home)
	e.Setenv("DRYDOCK_CONFIG_DIR", filepath.Join(home, "drydock"))
	e.Setenv("NO_COLOR", "1")
	e.Setenv("REGISTRY", host)
	e.Setenv("HUB", s.hub.Host)
	e.Setenv("EXAMPLES", examples)
	e.Setenv("PATH", filepath.Join(e.WorkDir, ".bin")+":"+os.Getenv("PATH"))
	for _, identity := range []string{"AUTHOR", "COMMITTER"} {
		e.Setenv("GIT_"+identity+"_NAME", "Ann")
		e.Setenv("GIT_"+identity+"_EMAIL", "ann@example.org")
	}
	return nil
}

// newData makes a new data folder and a drydockd that uses it. Its name is short:
// overlay mounts of many layers have room for few long names.
func (w *world) newData() error {
	dir, err := os.MkdirTemp("", "dds-")
	if err != nil {
		return err
	}
	w.data = dir
	bin := filepath.Join(w.work, ".bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	for _, name := range []string{"drydock", "az"} {
		if err := os.Symlink(w.client, filepath.Join(bin, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return os.WriteFile(filepath.Join(bin, "drydockd"), []byte(w.wrapper()), 0o755)
}

// wrapper is a script that calls drydockd with the flags of this world.
func (w *world) wrapper() string {
	return `#!/bin/sh
command=$1
case $command in
exec | build)
	shift
	set -- "$command" --data '` + w.data + `' --mirror docker.io='` + w.hub.URL + `' --mirror mcr.microsoft.com='` + w.hub.URL + `' "$@"
	;;
du | prune)
	shift
	set -- "$command" --data '` + w.data + `' "$@"
	;;
esac
exec '` + w.program + `' "$@"
`
}
