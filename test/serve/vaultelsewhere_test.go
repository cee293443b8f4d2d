package serve_test

import (
	"crypto/md5"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/vault/vaulttest"
	"github.com/drydockhq/drydock/test/serve"
)

// reader makes a task that prints the sums of secrets, by their URLs, and has an
// identity of its own. It returns the words of its log.
func (o *office) reader(task string, urls map[string]string, values map[string]string) (sums []string) {
	o.t.Helper()
	text, steps := "version: v1.1.0\nsecrets:\n", "steps:\n"
	for id, url := range urls {
		text += "- id: " + id + "\n  keyvault: " + url + "\n"
		steps += "- cmd: busybox sh -c 'echo -n \"$VALUE\" | md5sum'\n  env: [\"VALUE={{.Secrets." + id + "}}\"]\n"
		sums = append(sums, fmt.Sprintf("%x", md5.Sum([]byte(values[id]))))
	}
	o.Must("acr", "task", "create", "-r", "contoso", "-n", task, "-c", "/dev/null", "-f", o.file(text+steps), "--assign-identity", "-o", "none")
	return sums
}

// mayRead lets a task read a vault.
func (o *office) mayRead(task, vault string) {
	o.t.Helper()
	o.Must("keyvault", "set-policy", "-n", vault, "--object-id", o.principal(task), "--secret-permissions", "get", "-o", "none")
}

// A run reads secrets that are kept elsewhere, and those of the server while its
// keys are encrypted by a service, move to a file, and the server is killed.
func TestVaultsThatNeedOthers(t *testing.T) {
	t.Parallel()
	hashi, folder := vaulttest.NewHashiCorp(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "token"), []byte("hush-of-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"VAULT_ADDR=" + hashi.URL, "VAULT_TOKEN=" + vaulttest.HashiCorpToken, "BOX_TOKEN=hush-of-the-environment"}
	args := []string{
		"--vault-store=hashi-box=hashivault+" + hashi.URL + "/secret/ci?namespace=" + vaulttest.HashiCorpNamespace,
		"--vault-store=file-box=file://" + folder, "--vault-store=env-box=env:BOX_", hub(t),
	}
	o := newOfficeAs(t, serve.Options{Env: env, Args: append([]string{"--vault-key=hashivault://drydock"}, args...)})
	urls := map[string]string{"own": o.secret("own", "hush-of-here")}
	for _, box := range []string{"hashi", "file", "env"} {
		urls[box] = "https://" + o.server.Host(box+"-box.vault") + "/secrets/token"
	}
	sums := o.reader("read", urls, map[string]string{"own": "hush-of-here", "hashi": "new", "file": "hush-of-a-file", "env": "hush-of-the-environment"})
	o.mayRead("read", "office-keys")
	boxes := []string{"hashi-box", "file-box", "env-box"}
	for _, box := range boxes {
		o.Must("keyvault", "create", "-n", box, "-g", serve.Group, "-o", "none")
	}
	for range boxes { // in whatever order the run reads them
		o.obey(o.wantFailure("read", "it lacks the permission 'get' on secrets there"))
	}
	o.wantRun("read", sums...)
	if _, err := os.Stat(filepath.Join(o.server.Data, "keys/vault.key")); err == nil {
		t.Error("there is a key in a file")
	}

	rotate := exec.Command(serve.Program(t), "vault", "rotate-key", "--data", o.server.Data, "--vault-key", "keys/vault.key")
	rotate.Env = append(os.Environ(), env...)
	opened := hashi.Opened()
	if out, err := rotate.CombinedOutput(); err != nil || hashi.Opened() == opened {
		t.Fatalf("%v, decrypted %d times\n%s", err, hashi.Opened()-opened, out)
	}
	o.server.Kill()
	hashi.Away.Store(true)
	o.server.RestartWith(append([]string{"--vault-key=keys/vault.key"}, args...)...)
	if got := strings.TrimSpace(o.Must("keyvault", "secret", "show", "--vault-name", "office-keys", "-n", "own", "--query", "value", "-o", "tsv")); got != "hush-of-here" {
		t.Errorf("after the restart the secret is %q", got)
	}
	o.wantFailure("read", "lets it not read the entry token of HashiCorp Vault")
	hashi.Away.Store(false)
	o.wantRun("read", sums...)
	o.wantNothingOf("hush-")
}

// standIn is an Azure that the machine finds by Azure's own names: a server that
// has a vault, the names of which are in the machine's hosts file.
func standIn(t *testing.T, machine *serve.Machine, vault string) (azure *serve.Server, c *serve.Client) {
	t.Helper()
	// All of 127.0.0.0/8 is this machine's: one of it that nobody else has at port 443.
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	address := fmt.Sprintf("127.78.%d.%d", port>>8, port&0xff)
	names := []string{"login.microsoftonline.com", vault + ".vault.azure.net"}
	for _, host := range []string{"management", "login", "graph", vault + ".vault"} {
		names = append(names, host+"."+serve.Domain)
	}
	hosts, err := os.OpenFile(machine.Path("/etc/hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = fmt.Fprintf(hosts, "\n%s %s\n", address, strings.Join(names, " "))
		hosts.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	azure = serve.Start(t, serve.Options{Args: []string{"--listen=" + address + ":443"}})
	c = azure.Client(serve.Client{Machine: machine})
	c.Must("group", "create", "-n", "theirs", "-l", "local")
	c.Must("keyvault", "create", "-g", "theirs", "-n", vault, "-o", "none")
	return azure, c
}

// A vault that the server does not have is Azure's: the server signs in there with
// what its environment says, and reads the secret as that identity, or does not
// where that is switched off.
func TestVaultsOfAzureInRuns(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	azure, c := standIn(t, machine, "their-box")
	c.Must("keyvault", "secret", "set", "--vault-name", "their-box", "-n", "token", "--value", "hush-of-azure", "-o", "none")
	who := strings.Fields(c.Must("ad", "sp", "create-for-rbac", "-n", "drydock-here", "--query", "[appId, password]", "-o", "tsv"))
	o := newOfficeAs(t, serve.Options{Machine: machine, Env: []string{
		"SSL_CERT_FILE=" + filepath.Join(azure.Data, "certs/clients.pem"),
		"AZURE_TENANT_ID=" + azure.Tenant, "AZURE_CLIENT_ID=" + who[0], "AZURE_CLIENT_SECRET=" + who[1],
	}})
	sums := o.reader("read", map[string]string{"theirs": "https://their-box.vault.azure.net/secrets/token"}, map[string]string{"theirs": "hush-of-azure"})
	o.wantFailure("read", "the server's own identity in Azure may not read the secret token of the key vault their-box", "give that identity the role Key Vault Secrets User")
	c.Must("keyvault", "set-policy", "-n", "their-box", "--spn", who[0], "--secret-permissions", "get", "-o", "none")
	o.wantRun("read", sums...)
	reads := c.Must("monitor", "activity-log", "list", "--max-events", "200", "--query", "[].join(' ', [operationName.value, status.value, caller])", "-o", "tsv")
	if !strings.Contains(reads, "secrets/getSecret/action Succeeded drydock-here") {
		t.Errorf("the other server was not asked:\n%s", reads)
	}
	if err := o.server.Stop(); err != nil {
		t.Fatal(err)
	}
	o.server.RestartWith(hub(t), "--vault-azure=off")
	o.wantFailure("read", "there is no key vault their-box at this server, which reads none of Azure's", "vaults.azure is off")
	o.wantNothingOf("hush-of-azure", who[1])
}
