package serve_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// keeper makes and uses secrets of all sorts, and remembers them.
type keeper struct {
	*office
	secrets map[string]string // by what they are
}

// fresh makes a value up.
func (k *keeper) fresh(what string) string {
	k.secrets[what] = "hush-" + rand.Text()
	return k.secrets[what]
}

// printed has the client print a secret.
func (k *keeper) printed(what string, args ...string) string {
	k.t.Helper()
	value := strings.TrimSpace(k.Must(append(args, "-o", "tsv")...))
	if len(value) < 12 {
		k.t.Fatalf("%s: the secret is %q", what, value)
	}
	k.secrets[what] = value
	return value
}

// people signs in as all who have a password.
func (k *keeper) people() {
	t, id := k.t, strings.TrimSpace(k.Must("acr", "show", "-n", "contoso", "--query", "id", "-o", "tsv"))
	login := k.server.LoginServer("contoso")
	password := k.fresh("the password of a user")
	k.Must("ad", "user", "create", "--display-name", "Alice", "--user-principal-name", "alice@drydock.localhost", "--password", password, "-o", "none")
	k.postForm("https://"+k.server.Host("login")+"/"+k.server.Tenant+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"password"}, "username": {"alice@drydock.localhost"}, "password": {password}, "client_id": {azureCLI},
		"scope": {"https://" + k.server.Host("management") + "/.default openid offline_access"},
	}, "of a user")

	sp := strings.Fields(k.Must("ad", "sp", "create-for-rbac", "-n", "ci", "--role", "AcrPush", "--scopes", id, "--query", "[appId, password]", "-o", "tsv"))
	k.secrets["the secret of a service principal"] = sp[1]
	k.Must("acr", "update", "-n", "contoso", "--admin-enabled", "true", "-o", "none")
	k.secrets["the first password of a token"] = k.scopedToken()
	for user, password := range map[string]string{
		sp[0]:     sp[1],
		"robot":   k.secrets["the first password of a token"],
		"contoso": k.printed("a password of the registry's admin user", "acr", "credential", "show", "-n", "contoso", "--query", "passwords[0].value"),
	} {
		k.postForm("https://"+login+"/oauth2/token", url.Values{
			"grant_type": {"password"}, "username": {user}, "password": {password}, "service": {login}, "scope": {"repository:app:pull"}, "offline_token": {"true"},
		}, "of a registry for "+user)
	}
	admin, err := k.server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + k.server.Host("management") + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	k.secrets["the admin's access token"] = admin.Token
	k.secrets["the admin's secret"] = k.server.Secret
	_, k.secrets["the secret of the hook"] = k.azure.TriggerHook("contoso")
}

// azureCLI is the client id of the Azure CLI.
const azureCLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"

func (k *keeper) scopedToken() string {
	k.t.Helper()
	return tokenMaker{k.azure, k.t}.scoped("contoso", "robot", "repositories/app/content/read")[0]
}

// postForm asks for tokens, which are secrets too.
func (k *keeper) postForm(to string, form url.Values, what string) {
	k.t.Helper()
	answer, err := k.server.HTTP().PostForm(to, form)
	if err != nil {
		k.t.Fatal(err)
	}
	defer answer.Body.Close()
	var tokens map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&tokens); err != nil || answer.StatusCode != http.StatusOK {
		k.t.Fatal(what, err, answer.Status, tokens)
	}
	for _, name := range []string{"access_token", "refresh_token"} {
		if token, ok := tokens[name].(string); ok && token != "" {
			k.secrets["the "+name+" "+what] = token
		}
	}
}

// things makes what is kept with secrets in it.
func (k *keeper) things(host, hubPassword string) {
	vaulted, password := k.secret("step", k.fresh("a vault's secret")), k.secret("hub-password", hubPassword)
	file := k.file(`version: v1.1.0
secrets:
- id: step
  keyvault: ` + vaulted + `
steps:
- cmd: ` + host + `/tools/busybox:1 sh -c 'echo $STEP $VALUE; echo -n "me:$STEP" | base64; echo $IDENTITY_HEADER; cat ~/.docker/config.json; echo in progress; sleep 600'
  env: ["STEP={{.Secrets.step}}", "VALUE={{.Values.value}}"]
`)
	k.Must("acr", "task", "create", "-r", "contoso", "-n", "keep", "-c", "/dev/null", "-f", file, "--assign-identity", "-o", "none",
		"--set-secret", "value="+k.fresh("a secret value of a task"), "--commit-trigger-enabled", "false", "--git-access-token", k.fresh("a token for a git host"))
	k.Must("keyvault", "set-policy", "-n", "office-keys", "--object-id", k.principal("keep"), "--secret-permissions", "get", "-o", "none")
	k.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "keep", "--login-server", host, "-u", "reader", "-p", password, "--use-identity", "[system]", "-o", "none")
	k.Must("acr", "task", "credential", "add", "-r", "contoso", "-n", "keep", "--login-server", "other.example", "-u", "ci", "-p", k.fresh("a task's credential"), "-o", "none")
	k.Must("acr", "webhook", "create", "-r", "contoso", "-n", "hooks", "--uri", "http://127.0.0.1:9/", "--actions", "push", "-o", "none",
		"--headers", "Authorization="+k.fresh("a header of a webhook"))
	k.Must("acr", "webhook", "ping", "-r", "contoso", "-n", "hooks", "-o", "none")
	k.Must("container", "create", "-g", serve.Group, "-n", "page", "--image", host+"/tools/busybox:1", "-o", "none", "--command-line", "sh -c 'echo up; sleep 600'",
		"--registry-login-server", host, "--registry-username", "reader", "--registry-password", hubPassword,
		"--secure-environment-variables", "SECURE="+k.fresh("a group's variable"))
}

// said returns what the server says of all that, by where.
func (k *keeper) said(run string) map[string]string {
	group := []string{"-g", serve.Group, "-n", "page"}
	all := map[string]string{"the log of the run": k.untilLog(run, "in progress"), "the metrics": k.metrics()}
	all["the output of a group"] = k.Until("up", append([]string{"container", "logs"}, group...)...)
	for _, command := range [][]string{
		{"acr", "task", "list-runs", "-r", "contoso", "-o", "json"},
		{"acr", "task", "list-runs", "-r", "contoso", "-o", "table"},
		{"acr", "task", "show-run", "-r", "contoso", "--run-id", run},
		{"acr", "task", "show", "-r", "contoso", "-n", "keep"},
		{"acr", "task", "list", "-r", "contoso"},
		{"acr", "task", "credential", "list", "-r", "contoso", "-n", "keep"},
		{"acr", "token", "show", "-r", "contoso", "-n", "robot"},
		{"acr", "webhook", "show", "-r", "contoso", "-n", "hooks"},
		{"acr", "webhook", "list-events", "-r", "contoso", "-n", "hooks"},
		{"acr", "show", "-n", "contoso"},
		{"ad", "sp", "list", "--all"},
		{"ad", "user", "list"},
		{"keyvault", "show", "-n", "office-keys"},
		{"keyvault", "secret", "list", "--vault-name", "office-keys"},
		append([]string{"container", "show"}, group...),
		append([]string{"container", "export", "-f", "/dev/stdout"}, group...),
		{"monitor", "activity-log", "list", "--max-events", "500"},
	} {
		all[strings.Join(command, " ")] = k.Must(command...)
	}
	return all
}

// stored adds the files of the server's database. The server has crashed, and nobody
// has opened it since: that would end its log.
func (k *keeper) stored(said map[string]string) {
	k.t.Helper()
	files, err := filepath.Glob(filepath.Join(k.server.Data, "drydock.db*"))
	if err != nil || len(files) < 2 {
		k.t.Fatalf("the files of the database are %q: %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			k.t.Fatal(err)
		}
		said[filepath.Base(file)] = string(text)
	}
	if all := said["drydock.db"] + said["drydock.db-wal"]; !strings.Contains(all, "alice@drydock.localhost") {
		k.t.Error("the database does not know the user whose password is looked for")
	}
}

// Of all secrets that a server uses, none is in what it says, nor in its database, nor
// in what it leaves when it crashes amid a run.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	k := &keeper{secrets: map[string]string{}}
	hubPassword := k.fresh("the password of a registry elsewhere")
	private := registry.Start(t, registry.Options{Users: map[string]string{"ci": "ci-password", "reader": hubPassword}, Tokens: true})
	move(t, private, "tools/busybox:1", "a")
	k.office = newOfficeAs(t, serve.Options{Env: []string{"GOTRACEBACK=all"}})
	k.people()
	k.things(private.Host, hubPassword)
	run := strings.TrimSpace(k.Must("acr", "task", "run", "-r", "contoso", "-n", "keep", "--no-wait", "--query", "runId", "-o", "tsv"))
	said := k.said(run)
	if log := said["the log of the run"]; strings.Count(log, "***") < 4 {
		t.Errorf("the run has not used its secrets:\n%s", log)
	}
	k.server.Dump()
	k.stored(said)
	audit, err := exec.Command(serve.Program(t), "audit", "--data", k.server.Data).Output()
	if err != nil {
		t.Error(err)
	}
	said["the audit log"] = string(audit)
	said["the server's log, and the dump"] = k.server.Log()
	if dump := k.server.Log(); strings.Count(dump, "\ngoroutine ") < 20 || !strings.Contains(dump, "buildkit.") {
		t.Errorf("that is no dump:\n%s", dump)
	}
	for where, text := range said {
		if text == "" {
			t.Errorf("nothing is in %s", where)
		}
		for what, secret := range k.secrets {
			for _, form := range forms(secret) {
				if strings.Contains(text, form) {
					t.Errorf("%s is in %s, as %q", what, where, form)
				}
			}
		}
	}
}

// forms are the ways in which a secret can be in a text: as it is, escaped, and in
// base64, alone or behind something else.
func forms(secret string) []string {
	all := []string{secret, url.QueryEscape(secret)}
	for before := range 3 {
		// Characters that also depend on what is around the secret don't count.
		first, last := (before*8+5)/6, (before+len(secret))*8/6
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))[first:last]
		all = append(all, text, strings.NewReplacer("+", "-", "/", "_").Replace(text))
	}
	return all
}
