package serve_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// office is a server with a registry, a vault and a client.
type office struct {
	*serve.Client
	server *serve.Server
	azure  *serve.Azure
	t      *testing.T
	logs   strings.Builder // all that was said
}

func newOffice(t *testing.T, args ...string) *office {
	t.Helper()
	return newOfficeAs(t, serve.Options{Args: args})
}

// newOfficeAs is newOffice with the options of its server.
func newOfficeAs(t *testing.T, options serve.Options) *office {
	t.Helper()
	options.Domain, options.Args = serve.LocalDomain, append([]string{hub(t)}, options.Args...)
	s := serve.Start(t, options)
	o := &office{Client: s.Client(serve.Client{}), server: s, azure: s.Azure(), t: t}
	o.Must("group", "create", "-n", serve.Group, "-l", "local")
	o.Must("acr", "create", "-n", "contoso", "-g", serve.Group, "--sku", "Basic")
	o.Must("keyvault", "create", "-n", "office-keys", "-g", serve.Group)
	return o
}

// secret sets a secret and returns its URL.
func (o *office) secret(name, value string) string {
	o.t.Helper()
	o.Must("keyvault", "secret", "set", "--vault-name", "office-keys", "-n", name, "--value", value, "-o", "none")
	return "https://" + o.server.Host("office-keys.vault") + "/secrets/" + name
}

// runTask runs a task to its end and returns its log, and whether it succeeded.
func (o *office) runTask(name string) (log string, ok bool) {
	o.t.Helper()
	out, said, status := o.Run("acr", "task", "run", "-r", "contoso", "-n", name)
	o.logs.WriteString(out + said)
	return out + said, status == 0
}

func (o *office) wantRun(name string, words ...string) {
	o.t.Helper()
	log, ok := o.runTask(name)
	if !ok {
		o.t.Fatalf("the run failed:\n%s", log)
	}
	o.wantWords(log, words...)
}

func (o *office) wantFailure(name string, words ...string) string {
	o.t.Helper()
	log, ok := o.runTask(name)
	if ok {
		o.t.Fatalf("the run succeeded:\n%s", log)
	}
	o.wantWords(log, words...)
	return log
}

func (o *office) wantWords(log string, words ...string) {
	o.t.Helper()
	for _, word := range words {
		if !strings.Contains(log, word) {
			o.t.Errorf("%q is not in the log:\n%s", word, log)
		}
	}
}

var adviceForm = regexp.MustCompile(`with: az ([^)\r\n]*)\)`)

// obey carries out the command that a log says would help.
func (o *office) obey(log string) {
	o.t.Helper()
	m := adviceForm.FindStringSubmatch(log)
	if m == nil {
		o.t.Fatalf("no advice in:\n%s", log)
	}
	o.Must(strings.Fields(m[1])...)
}

// file writes a task file and returns its path.
func (o *office) file(text string) string {
	o.t.Helper()
	path := filepath.Join(o.t.TempDir(), "task.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// untilLog waits until the log of a run has a text, and returns the log.
func (o *office) untilLog(run, text string) string {
	o.t.Helper()
	log := o.azure.LogClient("contoso", run)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		answer, err := log.DownloadStream(o.t.Context(), nil)
		if err != nil {
			o.t.Fatal(err)
		}
		content, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil {
			o.t.Fatal(err)
		}
		if strings.Contains(string(content), text) {
			return string(content)
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("no %q in the log:\n%s", text, content)
		}
	}
}

// principal returns the object id of a task's own identity.
func (o *office) principal(task string) string {
	o.t.Helper()
	return strings.TrimSpace(o.Must("acr", "task", "identity", "show", "-r", "contoso", "-n", task, "--query", "principalId", "-o", "tsv"))
}

// metrics returns the metrics of the server.
func (o *office) metrics() string {
	o.t.Helper()
	metrics, err := http.Get("http://" + o.server.Addr + "/metrics")
	if err != nil {
		o.t.Fatal(err)
	}
	defer metrics.Body.Close()
	text, err := io.ReadAll(metrics.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(text)
}

// wantNothingOf checks that secrets are in nothing that the server has said.
func (o *office) wantNothingOf(secrets ...string) {
	o.t.Helper()
	places := map[string]string{
		"the logs of runs": o.logs.String(), "the server's log": o.server.Log(), "the metrics": o.metrics(),
		"list-runs": o.Must("acr", "task", "list-runs", "-r", "contoso", "-o", "json"),
		"tasks":     o.Must("acr", "task", "list", "-r", "contoso", "-o", "json"),
	}
	for place, text := range places {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				o.t.Errorf("%q is in %s", secret, place)
			}
		}
	}
}

// A task signs in to a private registry with what is in a vault, read as its own
// identity at each run.
func TestSecretsOfVaultsInRuns(t *testing.T) {
	t.Parallel()
	private := registry.Start(t, registry.Options{
		Users: map[string]string{"ci": "ci-password", "reader": "hush-reader", "second": "hush-second"}, Tokens: true,
	})
	move(t, private, "tools/busybox:1", "a")
	o := newOffice(t, "--runs-slots=1")
	user, password := o.secret("hub-user", "reader"), o.secret("hub-password", "hush-reader")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "pull", "-c", "/dev/null", "--cmd", private.Host+"/tools/busybox:1 echo it runs", "--assign-identity", "-o", "none")
	o.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "pull", "--login-server", private.Host, "-u", user, "-p", password, "--use-identity", "[system]", "-o", "none")

	log := o.wantFailure("pull", "signing in to "+private.Host, "[system] of task pull in registry contoso", o.principal("pull"), "secret hub-user in vault office-keys", "'get'")
	o.obey(log)
	o.wantRun("pull", "it runs")

	// What is rotated, the next run uses.
	o.secret("hub-password", "hush-wrong")
	o.wantFailure("pull", private.Host)
	o.secret("hub-user", "second")
	o.secret("hub-password", "hush-second")
	o.wantRun("pull", "it runs")

	// What is taken away while a run waits, it doesn't get, be it a policy or a role.
	pull := func() string {
		return o.Must("acr", "task", "run", "-r", "contoso", "-n", "pull", "--no-wait", "--query", "runId", "-o", "tsv")
	}
	late, id := o.failsWaiting(pull, "keyvault", "delete-policy", "-n", "office-keys", "--object-id", o.principal("pull"), "-o", "none")
	lacks := []string{"[system] of task pull in registry contoso", o.principal("pull"), "may not read the secret hub-user in vault office-keys", "'get'"}
	o.wantWords(late, append(lacks, "az keyvault set-policy --name office-keys --object-id "+o.principal("pull")+" --secret-permissions get")...)
	o.Must("keyvault", "update", "-n", "office-keys", "--enable-rbac-authorization", "true", "-o", "none")
	vault := strings.TrimSpace(o.Must("keyvault", "show", "-n", "office-keys", "--query", "id", "-o", "tsv"))
	lacks[3] = "az role assignment create --role 'Key Vault Secrets User' --assignee-object-id " + o.principal("pull") + " --scope " + vault
	o.wantFailure("pull", lacks...)
	o.Must("role", "assignment", "create", "--role", "Key Vault Secrets User", "--assignee-object-id", o.principal("pull"), "--scope", vault, "-o", "none")
	o.wantRun("pull", "it runs")
	late, _ = o.failsWaiting(pull, "role", "assignment", "delete", "--role", "Key Vault Secrets User", "--assignee", o.principal("pull"), "--scope", vault)
	o.wantWords(late, lacks...)
	o.wantNothingOf("hush-reader", "hush-wrong", "hush-second")
	o.wantReads(id, o.principal("pull"))
}

// failsWaiting has a run wait that is asked for, takes something away from it
// meanwhile, and returns the log with which it fails, and its id.
func (o *office) failsWaiting(ask func() string, take ...string) (log, run string) {
	o.t.Helper()
	blocker := o.Must("acr", "run", "-r", "contoso", "--cmd", "busybox sleep 120", "/dev/null", "--no-wait", "--query", "runId", "-o", "tsv")
	run = strings.TrimSpace(ask())
	o.Must(take...)
	o.Must("acr", "task", "cancel-run", "-r", "contoso", "--run-id", strings.TrimSpace(blocker))
	o.Until("Failed", "acr", "task", "show-run", "-r", "contoso", "--run-id", run, "--query", "status", "-o", "tsv")
	log, said, _ := o.Run("acr", "task", "logs", "-r", "contoso", "--run-id", run)
	o.logs.WriteString(log + said)
	return log, run
}

// wantReads checks that the audit log says which run was refused its secret, and
// that the runs before it have read theirs, all as one identity.
func (o *office) wantReads(refused, principal string) {
	o.t.Helper()
	reads := map[string]int{}
	for _, n := range auditOf(o.t, o.server) {
		if !strings.HasSuffix(n.Action, "getSecret/action") || !strings.HasPrefix(n.From, "run contoso/") {
			continue
		}
		reads[n.Result]++
		if n.Principal != principal || n.Name != "contoso/pull" || !strings.Contains(n.Target, "/secrets/hub-") {
			o.t.Errorf("a run's read is in the audit log as %+v", n)
		}
		if n.From == "run contoso/"+refused && n.Result != "Denied" {
			o.t.Errorf("the read of %s is in the audit log as %+v", refused, n)
		}
	}
	// Four runs have read a name and a password, four were refused the name.
	if reads["Succeeded"] != 8 || reads["Denied"] != 4 {
		o.t.Errorf("the audit log has reads by runs with these results: %v", reads)
	}
}

// The secrets of a task file are read as an identity that the task has: its own,
// or one that was assigned to it.
func TestSecretsOfTaskFiles(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	one, two := o.secret("one", "hush-one"), o.secret("two", "hush-two")
	o.Must("identity", "create", "-n", "reader", "-g", serve.Group, "-o", "none")
	reader := strings.Fields(o.Must("identity", "show", "-n", "reader", "-g", serve.Group, "--query", "[id, clientId, principalId]", "-o", "tsv"))
	file := o.file(`version: v1.1.0
secrets:
- id: one
  keyvault: ` + one + `
- id: two
  keyvault: ` + two + `
  clientID: ` + reader[1] + `
steps:
- cmd: busybox sh -c 'echo "$ONE" | md5sum; echo "$TWO" | md5sum; echo "$ONE"'
  env: ["ONE={{.Secrets.one}}", "TWO={{.Secrets.two}}"]
`)
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "read", "-c", "/dev/null", "-f", file, "-o", "none")
	o.wantFailure("read", "task read in registry contoso does not have")
	o.Must("acr", "task", "identity", "assign", "-r", "contoso", "-n", "read", "--identities", "[system]", "-o", "none")
	o.Must("keyvault", "set-policy", "-n", "office-keys", "--object-id", o.principal("read"), "--secret-permissions", "get", "-o", "none")
	o.wantFailure("read", "does not have the user-assigned identity "+reader[1])
	o.Must("acr", "task", "identity", "assign", "-r", "contoso", "-n", "read", "--identities", "[system]", reader[0], "-o", "none")
	o.obey(o.wantFailure("read", "identity reader (object id "+reader[2], "secret two in vault office-keys"))
	// The sums are of what the steps were given.
	o.wantRun("read", "fe65152e0e1dbc8905902668bad9403d", "939ca36538b0afabed3a7be7ac5965fe", "***")

	o.Must("identity", "delete", "-n", "reader", "-g", serve.Group)
	o.wantFailure("read", "does not have the user-assigned identity "+reader[1])
	o.wantNothingOf("hush-one", "hush-two")
}

// A task pulls from another registry of the server as an identity that has a role
// there, and uses its own registry as the identity that it is told to.
func TestRegistriesOfIdentities(t *testing.T) {
	t.Parallel()
	o := newOffice(t, "--runs-slots=1")
	other := strings.TrimSpace(o.Must("acr", "create", "-n", "private", "-g", serve.Group, "--sku", "Basic", "--query", "loginServer", "-o", "tsv"))
	o.Must("acr", "import", "-n", "private", "--source", "docker.io/library/busybox", "-t", "busybox:1")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "pull", "-c", "/dev/null", "--cmd", other+"/busybox:1 echo it runs", "--assign-identity", "-o", "none")
	o.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "pull", "--login-server", other, "--use-identity", "[system]", "-o", "none")
	o.obey(o.wantFailure("pull", "[system] of task pull in registry contoso", o.principal("pull"), "may not pull from registry private", "Microsoft.ContainerRegistry/registries/pull/read"))
	o.wantRun("pull", "it runs")

	// A run uses its own registry as itself, unless it is told to be somebody else.
	file := o.copyFile(other+"/busybox:1", "copy:1")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "push", "-c", "/dev/null", "-f", file, "--source-acr-auth-id", "[system]", "-o", "none")
	o.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "push", "--login-server", other, "--use-identity", "[system]", "-o", "none")
	o.obey(o.wantFailure("push", "[system] of task push", "may not pull from registry private"))
	o.obey(o.wantFailure("push", "[system] of task push", "may not pull from registry contoso"))
	o.wantFailure("push", "copy:1")
	o.Must("role", "assignment", "create", "--assignee-object-id", o.principal("push"), "--role", "AcrPush",
		"--scope", o.registryID("contoso"), "-o", "none")
	o.wantRun("push")
	if tags := o.Must("acr", "repository", "show-tags", "-n", "contoso", "--repository", "copy", "-o", "tsv"); tags != "1\n" {
		t.Errorf("the tags are %q", tags)
	}
	o.Must("acr", "task", "update", "-r", "contoso", "-n", "push", "--source-acr-auth-id", "none", "-o", "none")
	o.wantFailure("push", "copy:1")
	o.assignedIdentity(other)
	o.caller(other)
}

// copyFile writes a task file that copies an image to the run's own registry.
func (o *office) copyFile(from, to string) string {
	return o.file("version: v1.1.0\nsteps:\n- cmd: docker pull " + from + "\n- cmd: docker tag " + from + " $Registry/" + to + "\n- push: ['$Registry/" + to + "']\n")
}

// assignedIdentity has a task use both registries as an identity that is assigned
// to it: its own by the identity's resource id, the other by its client id.
func (o *office) assignedIdentity(other string) {
	o.t.Helper()
	robot := strings.Fields(o.Must("identity", "create", "-n", "robot", "-g", serve.Group, "--query", "[id, clientId, principalId]", "-o", "tsv"))
	id, client, principal := robot[0], robot[1], robot[2]
	file := o.copyFile(other+"/busybox:1", "robots:1") // which nobody has pushed: pushing what is there already needs no more than pulling
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "robots", "-c", "/dev/null", "-f", file, "--source-acr-auth-id", id, "-o", "none")
	if got := o.Must("acr", "task", "show", "-r", "contoso", "-n", "robots", "--query", "[identity.type, credentials.sourceRegistry.identity]", "-o", "tsv"); got != "UserAssigned\n"+client+"\n" {
		o.t.Errorf("the task's identity and that for its registry are %q", got)
	}
	o.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "robots", "--login-server", other, "--use-identity", client, "-o", "none")
	for _, registry := range []string{"private", "contoso"} {
		o.obey(o.wantFailure("robots", "identity robot", principal, "may not pull from registry "+registry))
	}
	o.wantFailure("robots", "robots:1")
	o.Must("role", "assignment", "create", "--assignee-object-id", principal, "--role", "AcrPush", "--scope", o.registryID("contoso"), "-o", "none")
	o.wantRun("robots")
	o.Must("acr", "task", "identity", "remove", "-r", "contoso", "-n", "robots", "--identities", id, "-o", "none")
	o.wantFailure("robots", "does not have the user-assigned identity "+client)
}

// caller has runs use their registry as who asks for them, with the roles of that.
func (o *office) caller(other string) {
	o.t.Helper()
	o.Must("acr", "import", "-n", "contoso", "--source", other+"/busybox:1", "-t", "busybox:1")
	ci := strings.Fields(o.Must("ad", "sp", "create-for-rbac", "-n", "ci", "--role", "Contributor", "--scopes", o.registryID("contoso"), "--query", "[appId, password]", "-o", "tsv"))
	server := *o.server
	server.ClientID, server.Secret = ci[0], ci[1]
	asked := server.Client(serve.Client{})
	run := []string{"acr", "run", "-r", "contoso", "--source-acr-auth-id", "[caller]", "--cmd", "$Registry/busybox:1 echo it runs", "/dev/null"}
	if log, said, status := asked.Run(run...); status != 0 || !strings.Contains(log+said, "it runs") {
		o.t.Errorf("as who asks: %s%s", log, said)
	}
	log, _ := o.failsWaiting(func() string {
		return asked.Must(append(run, "--no-wait", "--query", "runId", "-o", "tsv")...)
	}, "role", "assignment", "delete", "--assignee", ci[0], "--role", "Contributor", "--scope", o.registryID("contoso"))
	o.wantWords(log, "who asked for the run, may not pull from registry contoso")
}

func (o *office) registryID(name string) string {
	o.t.Helper()
	return strings.TrimSpace(o.Must("acr", "show", "-n", name, "--query", "id", "-o", "tsv"))
}

// Images that a task waits for are looked at with what is in vaults as the task's
// identity: it is armed before its first run, and a change of its base starts one.
func TestWatchingImagesWithSecretsOfVaults(t *testing.T) {
	t.Parallel()
	private := registry.Start(t, registry.Options{Users: map[string]string{"ci": "ci-password", "reader": "hush-reader"}, Tokens: true})
	move(t, private, "tools/base:1", "a")
	o := newOffice(t, "--triggers-poll=never", "--triggers-poll="+private.Host+"=1s")
	user, password := o.secret("hub-user", "reader"), o.secret("hub-password", "hush-reader")
	upload := o.azure.Upload("contoso", "-- Dockerfile --\nFROM "+private.Host+"/tools/base:1\nRUN echo built\n")
	if status, answer := o.azure.Put("/registries/contoso/tasks/build", `{"location":"here","identity":{"type":"SystemAssigned"},"properties":{"platform":{"os":"Linux"},
		"step":{"type":"Docker","contextPath":"`+upload+`","dockerFilePath":"Dockerfile","imageNames":["app:{{.Run.ID}}"]},
		"trigger":{"baseImageTrigger":{"name":"base","baseImageTriggerType":"Runtime"}}}}`); status >= 300 {
		t.Fatal(status, answer)
	}
	o.Must("keyvault", "set-policy", "-n", "office-keys", "--object-id", o.principal("build"), "--secret-permissions", "get", "-o", "none")
	o.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "build", "--login-server", private.Host, "-u", user, "-p", password, "--use-identity", "[system]", "-o", "none")
	o.Until("sha256:", "acr", "task", "show", "-r", "contoso", "-n", "build", "--query", "step.baseImageDependencies[].digest", "-o", "tsv")
	changed := move(t, private, "tools/base:1", "b")
	o.Until(changed, "acr", "task", "list-runs", "-r", "contoso", "--query", "[?status==`Succeeded`].imageUpdateTrigger.images[].digest", "-o", "tsv")
	o.wantNothingOf("hush-reader")
}
