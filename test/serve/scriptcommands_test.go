package serve_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/drydockhq/drydock/test/gitea"
	"github.com/drydockhq/drydock/test/transcript"
)

// patience is how long scripts wait for something.
const patience = 2 * time.Minute

func runClient(ts *testscript.TestScript, neg bool, args []string) {
	if err := ts.Exec("drydock", args...); (err != nil) != neg {
		ts.Fatalf("drydock ended with %v", err)
	}
}

// clientOf is the client with a script's environment.
func clientOf(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(storyOf(ts).t.Context(), filepath.Join(ts.Getenv("HOME"), "drydock"), args...)
	cmd.Env = os.Environ()
	for _, name := range []string{"HOME", "DRYDOCK_CONFIG_DIR", "DRYDOCK_CA_FILE"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	return cmd
}

// printed runs a command and returns what it printed.
func printed(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return string(out), err
}

func keep(ts *testscript.TestScript, args []string) error {
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
	return nil
}

func until(ts *testscript.TestScript, args []string) error {
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		out, err := printed(clientOf(ts, args[1:]...))
		switch {
		case err == nil && strings.Contains(out, args[0]):
			_, err = fmt.Fprint(ts.Stdout(), out)
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("in %s it did not print %q: %v\n%s", patience, args[0], err, out)
		}
	}
}

// column separates the columns of a table.
var column = regexp.MustCompile(` {2,}`)

// listed returns the runs of a registry as the client lists them, from the first
// one on, and whether all have ended.
func listed(ts *testscript.TestScript, registry string) (runs []string, ended bool, err error) {
	out, err := printed(clientOf(ts, "acr", "task", "list-runs", "-r", registry, "--top", "100", "-o", "table"))
	if err != nil {
		return nil, false, err
	}
	ended = true
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i := len(lines) - 1; i >= 2; i-- { // below the head
		c := column.Split(lines[i], -1)
		if len(c) < 5 {
			return nil, false, fmt.Errorf("not a line of a run: %q", lines[i])
		}
		task, status, trigger := c[1], c[3], c[4]
		ended = ended && status != "Queued" && status != "Started" && status != "Running"
		runs = append(runs, task+" "+trigger+" "+status)
	}
	return runs, ended, nil
}

func expectRuns(ts *testscript.TestScript, args []string) error {
	registry, expected := args[0], storyOf(ts).runs
	want := append(expected[registry], args[1:]...)
	expected[registry] = want
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got, ended, err := listed(ts, registry)
		if err != nil {
			return err
		}
		if ended && slices.Equal(got, want) {
			return nil
		}
		if len(got) > len(want) || ended && len(got) == len(want) || time.Now().After(deadline) {
			return fmt.Errorf("the runs of %s are\n  %s\nnot\n  %s", registry, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
}

func kill(ts *testscript.TestScript, _ []string) error {
	s := storyOf(ts).server
	s.Kill()
	s.Restart()
	return nil
}

// follow runs the client until it has printed a text.
func follow(ts *testscript.TestScript, args []string) error {
	out := transcript.NewWatch(args[0])
	cmd := clientOf(ts, args[1:]...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-out.Found:
		_ = cmd.Process.Kill() // it may have ended already
		<-ended
		return nil
	case err := <-ended:
		return fmt.Errorf("it ended (%v) before it printed %q:\n%s", err, args[0], out)
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-ended
		return fmt.Errorf("in %s it did not print %q:\n%s", patience, args[0], out)
	}
}

func startGitHost(ts *testscript.TestScript, _ []string) error {
	s := storyOf(ts)
	host := gitea.Start(s.t)
	s.git = host.User("ann")
	ts.Setenv("GIT", host.URL+"/ann")
	ts.Setenv("PAT", s.git.Token("drydock", "write:repository"))
	return nil
}

func makeRepository(ts *testscript.TestScript, args []string) error {
	s := storyOf(ts)
	dir := ts.MkAbs(args[0])
	clone := s.git.Clone(s.git.Repository(filepath.Base(dir), true), s.t.TempDir())
	for _, line := range [][]string{
		{"cp", "-a", filepath.Join(clone.Dir, ".git"), dir},
		{"git", "-C", dir, "add", "--all"},
		{"git", "-C", dir, "commit", "--quiet", "--message", "First"},
		{"git", "-C", dir, "push", "--quiet"},
	} {
		if err := ts.Exec(line[0], line[1:]...); err != nil {
			return err
		}
	}
	return nil
}
