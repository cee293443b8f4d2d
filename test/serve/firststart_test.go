package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// nextLines are the commands that the first start prints.
var nextLines = regexp.MustCompile(`(?ms)^Next:\n(.*)\z`)

// The lines that the first start prints do what they say, as they are, whatever
// the port and the folder.
func TestPrintedLines(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	s := serve.Start(t, serve.Options{Machine: machine, Args: []string{"--manage-hosts"}, Data: filepath.Join(t.TempDir(), "my data")})
	lines := nextLines.FindStringSubmatch(s.Output())
	if lines == nil || strings.Contains(s.Output(), "does not know") {
		t.Fatalf("it prints\n%s", s.Output())
	}
	home := t.TempDir()
	for _, name := range []string{"drydock", "drydockd"} {
		if err := os.Symlink(serve.Program(t), filepath.Join(home, name)); err != nil {
			t.Fatal(err)
		}
	}
	// Whoever runs tests is root already.
	if err := os.WriteFile(filepath.Join(home, "sudo"), []byte("#!/bin/sh\nexec \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	sh := func(script string) string {
		t.Helper()
		cmd := machine.Command(t.Context(), "sh", "-ec", script)
		cmd.Env = append(os.Environ(), "HOME="+home, "DRYDOCK_CONFIG_DIR="+home, "PATH="+home+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", script, err, out)
		}
		return string(out)
	}
	sh(lines[1])
	login := "myregistry.azurecr." + serve.Domain + ":" + s.Port
	if got := sh("drydock acr list --query '[].loginServer' -o tsv"); got != login+"\n" {
		t.Errorf("there is %q", got)
	}
	if got := sh("sudo drydockd trust --data '" + s.Data + "' myregistry"); !strings.Contains(got, "certs.d/"+login+"/") {
		t.Errorf("trusting it for Docker wrote %s", got)
	}
}

func TestNamesThatNobodyKnows(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{})
	for _, want := range []string{"does not know the name management.drydock.test", "--manage-hosts", "*.azurecr.drydock.test"} {
		if !strings.Contains(s.Output(), want) {
			t.Errorf("it does not say %q:\n%s", want, s.Output())
		}
	}
	folder := t.TempDir()
	program := filepath.Join(folder, "drydock")
	if err := os.Symlink(serve.Program(t), program); err != nil {
		t.Fatal(err)
	}
	c := serve.Start(t, serve.Options{Domain: serve.LocalDomain}).Client(serve.Client{Program: program})
	_, said, status := c.Run("login", "--endpoint", "https://"+s.Host("management"), "--service-principal", "-u", "x", "-p", "y", "--tenant", "z")
	if status != 1 || !strings.Contains(said, "drydockd serve --manage-hosts, or a DNS entry for *.drydock.test") {
		t.Errorf("exit status %d: %s", status, said)
	}
}
