package serve_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aci "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// groupSees is what a container of a group looks at. OLD is a token of before.
const groupSees = `trap 'exit 0' TERM
ask() { echo "$1: $(curl -sS -H "Authorization: Bearer $2" "https://management.chinacloudapi.cn/subscriptions?api-version=2022-12-01")"; }
wget -q -O /answer --header "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://management.chinacloudapi.cn/"
token=$(sed 's/.*access_token":"//; s/".*//' /answer)
echo "token: $token"
ask new "$token"
test -n "$OLD" && ask old "$OLD"
echo "login: $(curl -sS https://login.chinacloudapi.cn/adfs/.well-known/openid-configuration)"
echo "vault: $(curl -sS -i https://office-keys.vault.azure.cn/secrets/x?api-version=7.4)"
echo "registry: $(curl -sS -i https://contoso.azurecr.cn/v2/)"
echo "instance: $(curl -sS -H Metadata:true "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/")"
echo "cloud: $AZURE_CLOUD_NAME"
echo looked
while true; do sleep 1; done`

// A group pulls as an identity that is assigned to it, and its containers act as
// that: by the names of Azure's clouds, until the group is deleted.
func TestGroupsActAsTheirIdentities(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	img, err := images.Get(t.Context(), images.Curl)
	if err != nil {
		t.Fatal(err)
	}
	image := o.server.LoginServer("contoso") + "/tool:v1"
	write(t, o.server, image, img)
	id := strings.TrimSpace(o.Must("identity", "create", "-g", serve.Group, "-n", "puller", "--query", "id", "-o", "tsv"))
	i := o.azure.Instances()
	g := shell(i, image, groupSees)
	g.Location, g.Properties.IPAddress = to.Ptr("chinaeast2"), nil
	g.Properties.Containers[0].Properties.Ports = nil
	g.Properties.ImageRegistryCredentials = []*aci.ImageRegistryCredential{{Server: to.Ptr(o.server.LoginServer("contoso")), Identity: to.Ptr(id)}}
	if _, err := i.Create("who", g); err == nil || !strings.Contains(err.Error(), "is not assigned to the container group") {
		t.Errorf("an identity that the group is not assigned: %v", err)
	}
	g.Identity = &aci.ContainerGroupIdentity{Type: to.Ptr(aci.ResourceIdentityTypeUserAssigned), UserAssignedIdentities: map[string]*aci.UserAssignedIdentities{id: {}}}
	_, err = i.Create("who", g)
	if err == nil || !strings.Contains(err.Error(), "identity puller") || !strings.Contains(err.Error(), "may not pull from registry contoso") {
		t.Fatalf("without a role: %v", err)
	}
	o.obey(strings.ReplaceAll(err.Error(), "\\\"", `"`))
	i.MustCreate("who", g)
	i.UntilLog("who", "web", "looked\n")
	said := i.Logs("who", "web")
	for what, want := range map[string]string{
		"the token":        "token: ey",
		"what it opens":    `new: {"value":[`,
		"the issuer":       `"token_endpoint":"https://login.chinacloudapi.cn/adfs/oauth2/token"`,
		"the vault":        "vault: HTTP/2 401",
		"the registry":     `realm="https://contoso.azurecr.cn/oauth2/token"`,
		"a machine's form": `instance: {"access_token":"ey`,
		"the cloud":        "cloud: AzureChinaCloud",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s: no %q in\n%s", what, want, said)
		}
	}
	token := regexp.MustCompile(`token: (ey\S+)`).FindStringSubmatch(said)
	if token == nil {
		t.Fatal("no token")
	}
	poller, err := i.Groups.BeginDelete(t.Context(), serve.Group, "who", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	g.Properties.Containers[0].Properties.EnvironmentVariables = []*aci.EnvironmentVariable{{Name: to.Ptr("OLD"), SecureValue: to.Ptr(token[1])}}
	i.MustCreate("who", g)
	i.UntilLog("who", "web", "looked\n")
	if said := i.Logs("who", "web"); !strings.Contains(said, `new: {"value":[`) || !regexp.MustCompile(`old: .*InvalidAuthenticationToken`).MatchString(said) {
		t.Errorf("a token of the group before:\n%s", said)
	}
}

// The name of a group is known in runs and, where the server keeps the hosts file,
// on the machine.
func TestNamesOfGroups(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	_, i, image := instances(t, serve.Options{Machine: machine, Args: []string{hub(t), "--manage-hosts"}})
	g := i.Definition(image)
	g.Properties.IPAddress.DNSNameLabel = to.Ptr("orange")
	address := i.MustCreate("page", g)
	name := *i.Show("page").Properties.IPAddress.Fqdn
	a := i.Azure
	source := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- cmd: busybox wget -q -O- http://"+name+"/\n")
	if text, end := a.WaitLog("contoso", a.Schedule("contoso", fileTask(source))); end != "successful" || !strings.Contains(text, "bgcolor=green") {
		t.Errorf("%s: %s", end, text)
	}
	hosts := func() bool {
		text, err := os.ReadFile(machine.Path("/etc/hosts"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\n"+address+" "+name+"\n")
	}
	until := func(what string, want bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); hosts() != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s, %s is in the hosts file: %v", what, name, !want)
			}
		}
	}
	until("made", true)
	poller, err := i.Groups.BeginDelete(t.Context(), serve.Group, "page", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := poller.PollUntilDone(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	until("deleted", false)
}
