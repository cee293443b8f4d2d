//go:build docker

package compat_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// stockCLI is the stock Azure CLI that tools/azure-cli makes.
const stockCLI = "../../.cache/azure-cli/az"

// azureWork is what somebody does who has signed in: something of each service.
const azureWork = `
az group create -n $NAME -l eastus --query properties.provisioningState -o tsv
az acr create -g $NAME -n ${NAME}acr --sku Basic --query loginServer -o tsv
az acr build -r ${NAME}acr -t app:v1 app
az acr run -r ${NAME}acr --cmd "busybox echo a run says hello" /dev/null
az acr repository show-tags -n ${NAME}acr --repository app -o tsv
az keyvault create -g $NAME -n $NAME-vault --query properties.vaultUri -o tsv
az keyvault secret set --vault-name $NAME-vault -n greeting --value "hello from the vault" -o none
az keyvault secret show --vault-name $NAME-vault -n greeting --query value -o tsv
az ad sp show --id $CLIENT --query appId -o tsv
az group delete -n $NAME --yes
az group exists -n $NAME
`

// commands returns the commands of a section of docs/azure.md, for this site: all but
// those that start the server.
func (s *site) commands(t *testing.T, title string) string {
	t.Helper()
	text := must(os.ReadFile("../../docs/azure.md"))(t)
	_, section, ok := strings.Cut(string(text), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("docs/azure.md has no section %q", title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var commands strings.Builder
	for line := range strings.Lines(section) {
		if command, code := strings.CutPrefix(line, "    "); code && !strings.HasPrefix(command, "sudo drydockd serve") {
			commands.WriteString(command)
		}
	}
	if !strings.Contains(commands.String(), "az login ") {
		t.Fatalf("the section %q has no az login", title)
	}
	return strings.NewReplacer(
		"/var/lib/drydock", s.server.Data, "drydock.test", s.server.Domain+":"+s.server.Port, "127.0.0.1:8888", s.proxy(t),
		"CLIENT-ID", s.server.ClientID, "SECRET", s.server.Secret, "TENANT", s.server.Tenant,
	).Replace(commands.String())
}

// Whoever does what docs/azure.md says works with the stock Azure CLI, in each of
// the ways that it reaches a server.
func TestAzureCLIAsDocumented(t *testing.T) {
	t.Parallel()
	az := must(filepath.Abs(stockCLI))(t)
	if _, err := os.Stat(az); err != nil {
		t.Fatalf("%v: make compat makes it", err)
	}
	s := newSite(t, "--proxy=127.0.0.1:0")
	own := s.server.Domain + ":" + s.server.Port
	const (
		proxied  = "The Azure CLI as it is: `--proxy`"
		register = "A cloud of its own: `az cloud register`"
	)
	t.Run("slashed", func(t *testing.T) {
		t.Parallel()
		// az does not take the slash away, and asks for //metadata/endpoints.
		script := strings.Replace(s.commands(t, register), "https://management."+own+"\n", "https://management."+own+"/\n", 1)
		out := s.azure(t, az, "NAME=slashed", script+"az cloud show --query \"[endpoints.resourceManager, suffixes.acrLoginServerEndpoint]\" -o tsv")
		if !strings.HasSuffix(out, "https://management."+own+"/\n.azurecr."+own+"\n") {
			t.Errorf("the cloud is %s", out)
		}
	})
	for name, script := range azureAreas {
		t.Run("proxied, "+name, func(t *testing.T) {
			t.Parallel()
			s.azure(t, az, "NAME=az"+name, s.commands(t, proxied)+azureTools+script)
		})
	}
	for name, c := range map[string]struct{ section, domain, vaults string }{
		"proxied":    {proxied, "azurecr.cn", "vault.azure.cn"},
		"registered": {register, "azurecr." + own, "vault." + own},
		"metadata":   {"A cloud of its own: `ARM_CLOUD_METADATA_URL`", "azurecr." + own, "vault." + own},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := s.azure(t, az, "NAME="+name, s.commands(t, c.section)+azureWork)
			for _, want := range []string{
				"Succeeded\n", name + "acr." + c.domain + "\n", "\na run says hello\n", "\nv1\n", "https://" + name + "-vault." + c.vaults + "/\n",
				"\nhello from the vault\n", "\n" + s.server.ClientID + "\n", "\nfalse\n",
			} {
				if !strings.Contains(strings.ReplaceAll(out, "\r", ""), want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

// proxy is the address of the site's proxy.
func (s *site) proxy(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile(`"proxy":"([^"]+)"`).FindStringSubmatch(s.server.Log())
	if found == nil {
		t.Fatal("the server has no proxy")
	}
	return found[1]
}

// azure runs a script with the stock Azure CLI on the site's machine, for somebody
// who never used it, and returns what it printed.
func (s *site) azure(t *testing.T, az, name, script string) string {
	t.Helper()
	home, bin := t.TempDir(), t.TempDir()
	if err := os.Symlink(az, filepath.Join(bin, "az")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(home, "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "app", "Dockerfile"), []byte("FROM busybox\nRUN echo built > /built\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := s.machine.Command(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = home
	cmd.Env = []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + t.TempDir(), name, "CLIENT=" + s.server.ClientID,
		"AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_SURVEY_MESSAGE=no", "AZURE_CORE_NO_COLOR=true", "AZURE_CORE_ERROR_RECOMMENDATION=off",
		"AZURE_EXTENSION_USE_DYNAMIC_INSTALL=no", "AZURE_CORE_DISABLE_PROGRESS_BAR=true", "AZURE_CORE_LOGIN_EXPERIENCE_V2=off",
	}
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, problems.String())
	}
	return string(out)
}
