package serve_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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
	startedAgain(t, c, image, s)
	pulledAs(t, c, image)
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

// thriceTried is a group whose container fails twice, and then ends well.
const thriceTried = `name: thrice
location: chinaeast2
properties:
  osType: Linux
  restartPolicy: OnFailure
  imageRegistryCredentials:
  - {server: %q, username: %q, password: "${REGISTRY_PASSWORD}"}
  volumes:
  - {name: kept, emptyDir: {}}
  containers:
  - name: tries
    properties:
      image: %s
      command: [/bin/sh, -c, "echo >> /kept/tries; n=$(wc -l < /kept/tries); echo begin $n; sleep 0.3; echo end $n; test $n -ge 3"]
      resources: {requests: {cpu: 0.5, memoryInGB: 0.5}}
      volumeMounts: [{name: kept, mountPath: /kept}]
`

// startedAgain follows a container that is started again until it ends well.
func startedAgain(t *testing.T, c *serve.Client, image string, s *serve.Server) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "thrice.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, thriceTried, s.LoginServer("contoso"), s.ClientID, image), 0o600); err != nil {
		t.Fatal(err)
	}
	with := *c
	with.Env = append(append([]string(nil), c.Env...), "REGISTRY_PASSWORD="+s.Secret)
	with.Must("container", "create", "-g", "demo", "-f", file, "-o", "none")
	name := func(args ...string) []string { return append(args, "-g", "demo", "-n", "thrice") }
	const want = "begin 1\nend 1\nbegin 2\nend 2\nbegin 3\nend 3\n"
	// It is followed to its end for good, and is not started again after that.
	if said, problems, status := c.Run(name("container", "attach")...); status != 0 || said != want || !strings.HasPrefix(problems, "Container 'tries' is in state '") {
		t.Errorf("attach: %d, %q, %s", status, said, problems)
	}
	if said := c.Must(name("container", "logs", "--follow")...); said != want {
		t.Errorf("logs --follow: %q", said)
	}
	if said := c.Must(name("container", "logs", "--tail", "3", "--container-name", "tries")...); said != "end 2\nbegin 3\nend 3\n" {
		t.Errorf("logs --tail: %q", said)
	}
	timed := regexp.MustCompile(`^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z (begin|end) \d\n){6}$`)
	if said := c.Must(name("container", "logs", "--timestamps")...); !timed.MatchString(said) {
		t.Errorf("logs --timestamps: %q", said)
	}
	const ended = "Succeeded\n2\nTerminated\n0\n"
	view := "containers[0].instanceView"
	query := "[instanceView.state, " + view + ".restartCount, " + view + ".currentState.state, " + view + ".currentState.exitCode]"
	if got := c.Must(name("container", "show", "--query", query, "-o", "tsv")...); got != ended {
		t.Errorf("it ended as %q", got)
	}
	c.Must(name("container", "delete", "--yes")...)
}

// pulledAs makes a group whose image is pulled as an identity.
func pulledAs(t *testing.T, c *serve.Client, image string) {
	t.Helper()
	puller := strings.Fields(c.Must("identity", "create", "-g", "demo", "-n", "puller", "--query", "[id, principalId]", "-o", "tsv"))
	create := []string{
		"container", "create", "-g", "demo", "-n", "pulled", "--image", image, "--restart-policy", "Never", "--command-line", "/bin/sh -c 'echo pulled'",
		"--assign-identity", puller[0], "--acr-identity", puller[0], "-o", "none",
	}
	if _, problems, status := c.Run(create...); status == 0 || !strings.Contains(problems, "identity puller") || !strings.Contains(problems, "may not pull from registry contoso") {
		t.Errorf("without a role: %d, %s", status, problems)
	}
	scope := strings.TrimSpace(c.Must("acr", "show", "-n", "contoso", "--query", "id", "-o", "tsv"))
	c.Must("role", "assignment", "create", "--role", "AcrPull", "--assignee-object-id", puller[1], "--scope", scope, "-o", "none")
	c.Must(create...)
	if said := c.Must("container", "logs", "-g", "demo", "-n", "pulled", "--follow"); said != "pulled\n" {
		t.Errorf("pulled as an identity: %q", said)
	}
	c.Must("container", "delete", "-g", "demo", "-n", "pulled", "--yes")
}
