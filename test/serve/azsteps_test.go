package serve_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

// deploys is a task whose steps are the client's: one signs in, others use that.
const deploys = `version: v1.1.0
steps:
- id: sign-in
  cmd: az login --identity
- id: deploy
  cmd: >
    az container create --resource-group pages --name page --image $Registry/web:v1
    --ports 80 --ip-address Public --registry-login-server $Registry
    --registry-username {{.Values.user}} --registry-password {{.Values.password}} -o none
- id: address
  cmd: az container show -g pages -n page --query ipAddress.ip -o tsv
- id: both
  cmd: az account show --query user.name -o tsv && $az account show --query user.assignedIdentityInfo -o tsv && $az acr repository show-tags -n {{.Run.RegistryName}} --repository web -o tsv && $az acr repository show-tags -n $Registry --repository web -o table
- id: pulled
  cmd: az group list -o table
  pull: true
`

// The image az of a step is the client, as the identity of the task.
func TestAzInSteps(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	image := o.server.LoginServer("contoso") + "/web:v1"
	write(t, o.server, image, webImage(t, "orange"))
	o.Must("group", "create", "-n", "pages", "-l", "local")
	o.Must("acr", "task", "create", "-r", "contoso", "-n", "deploys", "-c", "/dev/null", "-f", o.file(deploys),
		"--set", "user="+o.server.ClientID, "--set-secret", "password="+o.server.Secret, "-o", "none")

	o.wantFailure("deploys", "task deploys in registry contoso does not have an identity of its own", "az acr task identity assign")
	o.Must("acr", "task", "identity", "assign", "-r", "contoso", "-n", "deploys", "-o", "none")
	o.wantFailure("deploys", "may use no subscription", "--assignee "+o.principal("deploys"))
	pages := strings.TrimSpace(o.Must("group", "show", "-n", "pages", "--query", "id", "-o", "tsv"))
	o.Must("role", "assignment", "create", "--assignee", o.principal("deploys"), "--role", "Owner", "--scope", pages, "-o", "none")
	o.wantFailure("deploys", "not allowed: metadata_read on repository web", "--assignee "+o.principal("deploys")+" --role AcrPull")
	registry := strings.TrimSpace(o.Must("acr", "show", "-n", "contoso", "--query", "id", "-o", "tsv"))
	o.Must("role", "assignment", "create", "--assignee", o.principal("deploys"), "--role", "AcrPull", "--scope", registry, "-o", "none")
	o.wantRun("deploys", "systemAssignedIdentity\nMSI\nv1\nResult\n--------\nv1\n", "pages   local       Succeeded\n")
	address := strings.TrimSpace(o.Must("container", "show", "-g", "pages", "-n", "page", "--query", "ipAddress.ip", "-o", "tsv"))
	if page, err := serve.Page(t.Context(), address); err != nil || !strings.Contains(page, "orange") {
		t.Fatal(page, err)
	}
	o.wantNothingOf(o.server.Secret)
}

// What has signed in in one run has not in the next; a run whose task has several
// identities says which; and what the image lacks is said.
func TestAzImage(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	scope := strings.TrimSpace(o.Must("group", "show", "-n", serve.Group, "--query", "id", "-o", "tsv"))
	var clients []string
	for _, name := range []string{"first", "second"} {
		o.Must("identity", "create", "-g", serve.Group, "-n", name, "-o", "none")
		show := func(query string) string {
			return strings.TrimSpace(o.Must("identity", "show", "-g", serve.Group, "-n", name, "--query", query, "-o", "tsv"))
		}
		clients = append(clients, show("clientId"), show("id"))
		o.Must("role", "assignment", "create", "--assignee", show("principalId"), "--role", "Reader", "--scope", scope, "-o", "none")
	}
	steps := func(name, text string) {
		o.Must("acr", "task", "create", "-r", "contoso", "-n", name, "-c", "/dev/null", "-f", o.file("version: v1.1.0\nsteps:\n"+text), "-o", "none")
		o.Must("acr", "task", "identity", "assign", "-r", "contoso", "-n", name, "--identities", clients[1], clients[3], "-o", "none")
	}
	steps("which", "- cmd: az login --identity\n")
	o.wantFailure("which", "Multiple user assigned identities exist")
	who := "\n- cmd: az account show --query user -o json\n"
	steps("first", "- cmd: az login --identity --client-id "+clients[0]+" -o none"+who+"- cmd: az login --identity -u "+clients[3]+" -o none"+who+"- cmd: az keyvault list --query [].name -o tsv\n")
	o.wantRun("first", `"name": "userAssignedIdentity"`, `"type": "servicePrincipal"`, `"assignedIdentityInfo": "MSIClient-`+clients[0], `"assignedIdentityInfo": "MSIResource-`+clients[3], "office-keys")
	steps("next", "- cmd: az account show\n")
	o.wantFailure("next", "nobody is signed in (az login --identity)")
	steps("shell", "- cmd: az -c 'az login --identity'\n  entryPoint: bash\n")
	o.wantFailure("shell", "exit status 127", "the built-in image has /usr/bin/az alone, and no shell")
	steps("other", "- cmd: drydock.internal/azure version\n")
	o.wantFailure("other", "there is no built-in image drydock.internal/azure", "drydock.internal/acr and drydock.internal/az")
	steps("tag", "- cmd: docker pull drydock.internal/az\n")
	o.wantFailure("tag", "drydock.internal/az is built into Drydock")
	steps("clean", "- cmd: az version --query drydock\n  workingDirectory: sub\n")
	o.wantRun("clean")
}
