package serve_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// TestScripts plays the stories in testdata. Each has a server with a client that
// has signed in, and a git host if it asks for one.
//
// Variables:
//
//	EXAMPLES  the folder of the examples
//	SUFFIX    what follows the name of a registry in its login server
//	VAULTS    what follows the name of a vault in its host
//	GIT PAT   where the user's repositories are at the git host, and a token for them
//
// Commands, beside those of testscript:
//
//	[!] drydock ARG...   run the client
//	keep NAME            what was printed last is $NAME
//	until TEXT ARG...    run the client again and again until it succeeds and prints TEXT
//	follow TEXT ARG...   run the client, and end it when it has printed TEXT
//	runs REGISTRY RUN... wait until a registry has these runs beside those that the script
//	                     has named before, and all have ended; others are a failure. A
//	                     run is "TASK TRIGGER STATUS", and they are in their order
//	kill                 kill the server and start it again
//	githost              start a git host
//	repository DIR       make a repository of DIR at the git host
func TestScripts(t *testing.T) {
	t.Parallel()
	hub := registry.Start(t, registry.Options{})
	if err := images.Push(t.Context(), hub.Host, images.Busybox+"=library/busybox", images.Curl+"=acr/curl:2ff604c", images.Node+"=library/"+images.Node, images.Busybox+"=small/"+images.Node); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:         "testdata",
		WorkdirRoot: t.TempDir(),
		Setup:       func(e *testscript.Env) error { return setUp(e, hub.URL) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"drydock":    runClient,
			"keep":       command(1, keep),
			"until":      command(-2, until),
			"follow":     command(-2, follow),
			"runs":       command(-1, expectRuns),
			"kill":       command(0, kill),
			"githost":    command(0, startGitHost),
			"repository": command(1, makeRepository),
		},
		RequireUniqueNames: true,
	})
}

// story is what a script has.
type story struct {
	t      testing.TB
	server *serve.Server
	git    *gitea.User
	runs   map[string][]string // by registry, that are expected so far
}

type storyKey struct{}

// storyOf returns the story of a script.
func storyOf(ts *testscript.TestScript) *story { return ts.Value(storyKey{}).(*story) }

// setUp starts the server of a script, and signs the client in.
func setUp(e *testscript.Env, hub string) error {
	t, ok := e.T().(testing.TB)
	if !ok {
		return errors.New("scripts are for tests")
	}
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Args: []string{
		"--runs-slots=4", "--sources-files=" + e.WorkDir,
		"--registries-mirrors=docker.io=" + hub, "--registries-mirrors=mcr.microsoft.com=" + hub,
	}})
	e.Values[storyKey{}] = &story{t: t, server: s, runs: map[string][]string{}}
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		return err
	}
	home := t.TempDir()
	if err := os.Symlink(serve.Program(t), filepath.Join(home, "drydock")); err != nil {
		return err
	}
	ca := filepath.Join(home, "ca.pem")
	if err := os.WriteFile(ca, s.CA, 0o600); err != nil {
		return err
	}
	for key, value := range map[string]string{
		"HOME": home, "DRYDOCK_CONFIG_DIR": home, "PATH": home + ":" + os.Getenv("PATH"), "DRYDOCK_CA_FILE": ca,
		"EXAMPLES": examples, "SUFFIX": "azurecr." + serve.LocalDomain + ":" + s.Port, "VAULTS": "vault." + serve.LocalDomain + ":" + s.Port,
		"ENDPOINT": "https://management." + serve.LocalDomain + ":" + s.Port, "TENANT": s.Tenant, "ID": s.ClientID, "SECRET": s.Secret,
		"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.org", "GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.org",
	} {
		e.Setenv(key, value)
	}
	return nil
}

// command makes a command that has n arguments, or at least -n, and knows no
// negation.
func command(n int, do func(ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || n >= 0 && len(args) != n || len(args) < -n {
			ts.Fatalf("usage: see TestScripts")
		}
		ts.Check(do(ts, args))
	}
}
