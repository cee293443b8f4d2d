package serve_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/serve"
)

// vaultClient makes a vault with ten secrets, the values of which are listed.
func vaultClient(t *testing.T, s *serve.Server) (c *serve.Client, values map[string]string) {
	t.Helper()
	c, values = s.Client(serve.Client{}), map[string]string{}
	c.Must("group", "create", "-n", "vaults", "-l", "here")
	c.Must("keyvault", "create", "-g", "vaults", "-n", "my-vault")
	for i := range 10 {
		name := fmt.Sprint("s", i)
		values[name] = fmt.Sprintf("hush-%d-Zq7", i)
		c.Must("keyvault", "secret", "set", "--vault-name", "my-vault", "-n", name, "--value", values[name], "-o", "none")
	}
	return c, values
}

func wantSecrets(t *testing.T, c *serve.Client, values map[string]string) {
	t.Helper()
	for name, value := range values {
		if got := strings.TrimSpace(c.Must("keyvault", "secret", "show", "--vault-name", "my-vault", "-n", name, "--query", "value", "-o", "tsv")); got != value {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// Keys are replaced while a server works, by a command that is killed again and
// again; and the server is killed too.
func TestVaultKeysAreReplacedAmidKills(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c, values := vaultClient(t, s)
	var done atomic.Bool
	var reading sync.WaitGroup
	reading.Go(func() {
		for !done.Load() {
			out, problems, status := c.Run("keyvault", "secret", "show", "--vault-name", "my-vault", "-n", "s3", "--query", "value", "-o", "tsv")
			if status != 0 || strings.TrimSpace(out) != values["s3"] {
				t.Error("reading meanwhile: ", out, problems)
				return
			}
		}
	})
	killed := 0
	for i := range 12 {
		cmd := exec.Command(serve.Program(t), "vault", "rotate-key", "--data", s.Data)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(20+15*i)*time.Millisecond, func() { cmd.Process.Signal(syscall.SIGKILL) })
		if err := cmd.Wait(); err != nil {
			killed++
		}
		timer.Stop()
	}
	t.Log(killed, "of 12 were killed")
	done.Store(true)
	reading.Wait()
	if out, err := exec.Command(serve.Program(t), "vault", "rotate-key", "--data", s.Data).CombinedOutput(); err != nil || !strings.Contains(string(out), "new keys") {
		t.Fatal(err, string(out))
	}
	wantSecrets(t, c, values)
	s.Kill()
	s.Restart()
	wantSecrets(t, c, values)
}

// A backup has what is needed to read secrets, also one that is made while keys
// are replaced; and no value is anywhere in it, in the data folder, in what the
// server said, or in the audit log.
func TestVaultsInBackups(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c, values := vaultClient(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	rotated := make(chan error, 1)
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = exec.Command(serve.Program(t), "vault", "rotate-key", "--data", s.Data).Run()
		}
		rotated <- err
	}()
	file, data := t.TempDir()+"/backup", t.TempDir()+"/restored"
	for _, args := range [][]string{{"backup", "--data", s.Data, file}, {"restore", "--data", data, file}} {
		if out, err := exec.Command(serve.Program(t), args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	cancel()
	if err := <-rotated; err != nil {
		t.Error("replacing keys: ", err)
	}
	restored := serve.Start(t, serve.Options{Domain: serve.LocalDomain, Data: data})
	restored.Tenant, restored.ClientID, restored.Secret = s.Tenant, s.ClientID, s.Secret
	wantSecrets(t, restored.Client(serve.Client{}), values)
	log, err := exec.Command(serve.Program(t), "audit", "--data", s.Data).Output()
	if err != nil || strings.Count(string(log), "setSecret/action") != len(values) {
		t.Error(err, string(log))
	}
	if _, problems, status := c.Run("keyvault", "secret", "show", "--vault-name", "my-vault", "-n", "none"); status == 0 {
		t.Error(problems)
	}
	noValues(t, "what the server said", s.Log()+s.Output())
	noValues(t, "the audit log", string(log))
	for _, dir := range []string{s.Data, data} {
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil // of what goes while the server works
			}
			text, err := os.ReadFile(path)
			if err == nil {
				noValues(t, path, string(text))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func noValues(t *testing.T, where, text string) {
	t.Helper()
	if strings.Contains(text, "hush-") {
		t.Errorf("%s has a value of a secret", where)
	}
}

// What is done is in the audit log, who and from where, with what is refused; and
// what a kill cuts off stays as started or has its result.
func TestAuditSurvivesKills(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c, values := vaultClient(t, s)
	wantSecrets(t, c, values)
	s.Kill()
	s.Restart()
	c = s.Client(serve.Client{})
	events := c.Must("monitor", "activity-log", "list", "--max-events", "200", "--query", "[].join(' ', [operationName.value, status.value, httpRequest.clientIpAddress, caller])", "-o", "tsv")
	for text, want := range map[string]int{
		"secrets/setSecret/action Succeeded 127.0.0.1 drydock-admin": 10, "secrets/getSecret/action Succeeded 127.0.0.1 drydock-admin": 10,
		"Microsoft.KeyVault/vaults/write ": 1, "resourceGroups/write ": 1,
	} {
		if got := strings.Count(events, text); got != want {
			t.Errorf("%d times %q, want %d:\n%s", got, text, want, events)
		}
	}
	span := func(offset string) int {
		end := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		return strings.Count(c.Must("monitor", "activity-log", "list", "--end-time", end, "--offset", offset, "--max-events", "200", "--query", "[].eventDataId", "-o", "tsv"), "\n")
	}
	if none, all := span("30m"), span("1d"); none != 0 || all < 22 {
		t.Errorf("of a time in which nothing was done there are %d events, of a longer one %d", none, all)
	}
	for since, want := range map[string]bool{"1ns": false, "24h": true} {
		out, err := exec.Command(serve.Program(t), "audit", "--data", s.Data, "--since", since).Output()
		if err != nil || strings.Contains(string(out), "setSecret/action") != want || !want && len(out) != 0 {
			t.Errorf("since %s: %v\n%s", since, err, out)
		}
	}
	signedOut(t, s, c)
}

// signedOut makes a user who works with the client sign in again.
func signedOut(t *testing.T, s *serve.Server, admin *serve.Client) {
	t.Helper()
	const login, password = "alice@" + serve.LocalDomain, "correct horse"
	admin.Must("ad", "user", "create", "--display-name", "Alice", "--user-principal-name", login, "--password", password, "-o", "none")
	admin.Must("role", "assignment", "create", "--assignee", login, "--role", "Reader", "-g", "vaults", "-o", "none")
	alice := s.Client(serve.Client{})
	signIn := []string{"login", "-u", login, "-p", password, "--tenant", s.Tenant, "-o", "none"}
	alice.Must(signIn...)
	// What she is shown first needs a token that she has, what she asks of the
	// directory another one, which the session is good for no more.
	vaults := []string{"keyvault", "list", "-g", "vaults", "--query", "[].name", "-o", "tsv"}
	if got := alice.Must(vaults...); got != "my-vault\n" {
		t.Errorf("she sees the vaults %q", got)
	}
	admin.Must("ad", "user", "revoke-sign-in-sessions", "--id", login)
	me := []string{"ad", "signed-in-user", "show", "--query", "userPrincipalName", "-o", "tsv"}
	if out, problems, status := alice.Run(me...); status == 0 || !strings.Contains(problems, "the sessions were ended") || !strings.Contains(problems, "sign in again with") {
		t.Errorf("signed out: %d, %s%s", status, out, problems)
	}
	alice.Must(signIn...)
	if got := alice.Must(me...); got != login+"\n" {
		t.Errorf("signed in again, she is %q", got)
	}
}
