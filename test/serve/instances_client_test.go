package serve_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// The commands for container groups, as people type them.
func TestContainerCommands(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", "demo", "-l", "chinaeast2")
	c.Must("acr", "create", "-n", "contoso", "-g", "demo", "--sku", "Basic")
	image := s.LoginServer("contoso") + "/web:v1"
	write(t, s, image, webImage(t, "orange"))
	create := []string{
		"container", "create", "-g", "demo", "--name", "page", "--image", image, "--ip-address", "Public", "--ports", "80",
		"--registry-login-server", s.LoginServer("contoso"), "--registry-username", s.ClientID, "--registry-password", s.Secret,
		"--environment-variables", "COLOUR=orange", "--secure-environment-variables", "TOKEN=very-secret", "--dns-name-label", "page",
		"--secrets", "key=also-secret", "--secrets-mount-path", "/run/secrets", "--memory", "0.5",
	}
	made := c.Must(create...)
	if !strings.Contains(made, `"provisioningState": "Succeeded"`) {
		t.Errorf("created: %s", made)
	}
	address := strings.TrimSpace(c.Must("container", "show", "--resource-group", "demo", "--name", "page", "--query", "ipAddress.ip", "--out", "tsv"))
	if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "orange") {
		t.Fatal(page, err)
	}
	want := "Name    ResourceGroup    Status    Image"
	if table := c.Must("container", "list", "-o", "table"); !strings.HasPrefix(table, want) || !strings.Contains(table, address+":80") || !strings.Contains(table, "1.0 core/0.5 gb") {
		t.Errorf("the table:\n%s", table)
	}
	if logs := c.Must("container", "logs", "-g", "demo", "-n", "page"); !strings.HasPrefix(logs, "starting orange\n") {
		t.Errorf("logs: %q", logs)
	}
	said := c.Must("container", "exec", "-g", "demo", "-n", "page", "--exec-command", "/bin/sh -c 'echo $COLOUR $TOKEN; cat /run/secrets/key; stty size; exit 0'", "--terminal-row-size", "40")
	if said != "orange very-secret\r\nalso-secret40 80\r\n" {
		t.Errorf("exec: %q", said)
	}
	if _, stderr, status := c.Run("container", "exec", "-g", "demo", "-n", "page", "--exec-command", "/bin/sh -c 'exit 3'"); status != 1 || !strings.Contains(stderr, "status 3") {
		t.Errorf("a command that fails: %d, %s", status, stderr)
	}
	shown := c.Must("container", "show", "-g", "demo", "-n", "page")
	for _, secret := range []string{"very-secret", "also-secret", "YWxzby1zZWNyZXQ", s.Secret} {
		if strings.Contains(shown+made+s.Log(), secret) {
			t.Errorf("%q is shown:\n%s", secret, shown)
		}
	}
	if !strings.Contains(shown, `"fqdn": "page.chinaeast2.azurecontainer.`+s.Domain+`"`) {
		t.Errorf("no name: %s", shown)
	}
	switches(t, c, address)
	file := filepath.Join(t.TempDir(), "group.yaml")
	c.Must("container", "export", "-g", "demo", "-n", "page", "--file", file)
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "instanceView") || !strings.Contains(string(text), "name: page") {
		t.Errorf("exported: %s, %v", text, err)
	}
	c.Must("container", "delete", "-g", "demo", "-n", "page", "--yes")
	if out := c.Must("container", "list", "-g", "demo"); strings.TrimSpace(out) != "[]" {
		t.Errorf("after the deletion: %s", out)
	}
}

// switches stops, starts and restarts a group, whose address stays.
func switches(t *testing.T, c *serve.Client, address string) {
	t.Helper()
	name := []string{"-g", "demo", "-n", "page"}
	state := func() string {
		return strings.TrimSpace(c.Must(append([]string{"container", "show", "--query", "instanceView.state", "-o", "tsv"}, name...)...))
	}
	c.Must(append([]string{"container", "stop"}, name...)...)
	if got := state(); got != "Stopped" {
		t.Errorf("after stop: %s", got)
	}
	if page, err := serve.Page(t.Context(), address); err == nil && strings.Contains(page, "orange") {
		t.Errorf("after stop: %s", page)
	}
	for _, verb := range []string{"start", "restart"} {
		c.Must(append([]string{"container", verb}, name...)...)
		if got := state(); got != "Running" {
			t.Errorf("after %s: %s", verb, got)
		}
		if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "orange") {
			t.Errorf("after %s: %s, %v", verb, page, err)
		}
	}
}
