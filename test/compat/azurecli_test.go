//go:build docker

package compat_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/drydockhq/drydock/test/serve"
)

// azureCLIFiles is what tools/azure-cli makes.
const azureCLIFiles = "../../.cache/azure-cli/azure-cli.tar"

// stockSteps is a task whose alias az is the stock Azure CLI.
const stockSteps = `version: v1.1.0
alias:
  values:
    az: "{{.Run.Registry}}/azure-cli:debian"
steps:
- cmd: az version --query '"azure-cli"' -o tsv
- cmd: az login --identity -o none
- cmd: az account show --query user.name -o tsv
- cmd: az acr repository show-tags -n {{.Run.RegistryName}} --repository azure-cli -o tsv
- cmd: az keyvault secret show --vault-name stock-keys -n greeting --query value -o tsv
- cmd: az container create -g demo -n page --image {{.Run.Registry}}/azure-cli:debian --command-line "az version" --restart-policy Never --registry-login-server {{.Run.Registry}} --registry-username {{.Values.user}} --registry-password {{.Values.password}} --os-type Linux --cpu 1 --memory 1 --query provisioningState -o tsv
`

// The stock Azure CLI in a step finds the server and the identity of its task with
// what every step gets.
func TestAzureCLIInSteps(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(azureCLIFiles); err != nil {
		t.Fatalf("%v: make compat makes it", err)
	}
	s := serve.Start(t, serve.Options{Domain: serve.LocalDomain})
	c := s.Client(serve.Client{})
	c.Must("group", "create", "-n", serve.Group, "-l", "eastus")
	c.Must("acr", "create", "-n", "contoso", "-g", serve.Group, "--sku", "Basic")
	pushAzureCLI(t, s, s.LoginServer("contoso")+"/azure-cli:debian")
	c.Must("keyvault", "create", "-n", "stock-keys", "-g", serve.Group)
	c.Must("keyvault", "secret", "set", "--vault-name", "stock-keys", "-n", "greeting", "--value", "hello from the vault", "-o", "none")
	file := filepath.Join(t.TempDir(), "task.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(stockSteps, "-g demo", "-g "+serve.Group)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Must("acr", "task", "create", "-r", "contoso", "-n", "stock", "-c", "/dev/null", "-f", file, "--assign-identity",
		"--set", "user="+s.ClientID, "--set-secret", "password="+s.Secret, "-o", "none")
	who := strings.TrimSpace(c.Must("acr", "task", "identity", "show", "-r", "contoso", "-n", "stock", "--query", "principalId", "-o", "tsv"))
	group := strings.TrimSpace(c.Must("group", "show", "-n", serve.Group, "--query", "id", "-o", "tsv"))
	c.Must("role", "assignment", "create", "--assignee", who, "--role", "Owner", "--scope", group, "-o", "none")
	c.Must("keyvault", "set-policy", "-n", "stock-keys", "--object-id", who, "--secret-permissions", "get", "-o", "none")

	log, said, status := c.Run("acr", "task", "run", "-r", "contoso", "-n", "stock")
	for _, want := range []string{"2.74.0\n", "systemAssignedIdentity\n", "debian\n", "hello from the vault\n", "Succeeded\n"} {
		if status != 0 || !strings.Contains(log, want) {
			t.Fatalf("%d, no %q in\n%s%s", status, want, log, said)
		}
	}
	c.Until("2.74.0", "container", "logs", "-g", serve.Group, "-n", "page")
}

// pushAzureCLI pushes the image. It is not compressed: that takes longer than all
// the rest.
func pushAzureCLI(t *testing.T, s *serve.Server, image string) {
	t.Helper()
	files, err := os.ReadFile(azureCLIFiles)
	if err != nil {
		t.Fatal(err)
	}
	base := mutate.MediaType(mutate.ConfigMediaType(empty.Image, types.OCIConfigJSON), types.OCIManifestSchema1)
	img, err := mutate.AppendLayers(base, static.NewLayer(files, types.OCIUncompressedLayer))
	if err != nil {
		t.Fatal(err)
	}
	if img, err = mutate.ConfigFile(img, &v1.ConfigFile{
		OS: "linux", Architecture: "amd64", RootFS: must(img.ConfigFile())(t).RootFS,
		Config: v1.Config{
			Entrypoint: []string{"az"},
			Env:        []string{"PATH=/usr/bin:/bin", "AZURE_CORE_COLLECT_TELEMETRY=no", "AZURE_CORE_ONLY_SHOW_ERRORS=yes", "PYTHONWARNINGS=ignore"},
		},
	}); err != nil {
		t.Fatal(err)
	}
	ref := must(name.ParseReference(image))(t)
	err = remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: s.ClientID, Password: s.Secret}), remote.WithTransport(s.Transport()), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
}
