package serve_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// hubWith is hub with further images.
func hubWith(t *testing.T, names ...string) (flag string) {
	t.Helper()
	r := registry.Start(t, registry.Options{})
	for _, name := range append(names, images.Busybox) {
		if err := images.Push(t.Context(), r.Host, name+"=library/"+name); err != nil {
			t.Fatal(err)
		}
	}
	return "--registries-mirrors=docker.io=http://" + r.Host
}

// sees is a task that looks around in its network: the answer to each step is on a
// line after the name of the step.
const sees = `steps:
- id: metadata
  cmd: curl -sS "https://management.chinacloudapi.cn/metadata/endpoints?api-version=2022-09-01"
- id: login
  cmd: curl -sS https://login.microsoftonline.com/adfs/.well-known/openid-configuration
- id: own
  cmd: curl -sS "https://management.DOMAIN:PORT/metadata/endpoints?api-version=2022-09-01"
- id: registry
  cmd: curl -sS -i https://contoso.azurecr.cn/v2/
- id: env
  cmd: busybox sh -c 'env | grep -e AZURE -e CA -e CERT -e MSI -e IDENTITY | sort; ls /run/drydock'
- id: token
  cmd: >
    busybox sh -c 'wget -q -O /workspace/answer --header "X-IDENTITY-HEADER: $IDENTITY_HEADER" "$IDENTITY_ENDPOINT?api-version=2019-08-01&resource=https://management.chinacloudapi.cn/";
    sed "s/.*access_token\":\"//; s/\".*//; s/^/Authorization: Bearer /" /workspace/answer > /workspace/header; cat /workspace/header'
- id: use
  cmd: curl -sS -H @/workspace/header -i "https://management.chinacloudapi.cn/subscriptions?api-version=2022-12-01"
- id: instance
  cmd: curl -sS -i -H "Metadata:true" "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
- id: elsewhere
  cmd: curl -sS -i http://169.254.169.254/latest/meta-data/
- id: health
  cmd: curl -sS -i -H "Host:example.com" https://management.azure.com/metrics
- id: host
  cmd: curl -sS -i -H "Metadata:true" "http://169.254.169.254/metadata/identity/oauth2/token?resource=https://vault.azure.cn"
  network: host
- id: build
  build: -t x -f Dockerfile .
`

const seesDockerfile = `FROM busybox
RUN env | grep -e IDENTITY -e MSI -e AZURE && exit 1; wget -q -O- http://169.254.169.254/msi/token && exit 1; test ! -e /run/drydock
`

// A run reaches the server by the names of Azure's clouds, and the identity of its
// task; builds, other runs and everybody outside don't.
func TestRunsReachTheServerByItsCloudNames(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hubWith(t, images.Curl)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	task := strings.NewReplacer("DOMAIN", s.Domain, "PORT", s.Port).Replace(sees)
	upload := a.Upload("contoso", "-- acr-task.yaml --\n"+task+"-- Dockerfile --\n"+seesDockerfile)
	status, answer := a.Put("/registries/contoso/tasks/looks", fmt.Sprintf(`{"location":"chinaeast2","identity":{"type":"SystemAssigned"},
		"properties":{"platform":{"os":"Linux"},"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":%q}}}`, upload))
	if status >= 300 {
		t.Fatal(status, answer)
	}
	run := a.Schedule("contoso", &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(taskID(a, "contoso", "looks"))})
	text, end := a.WaitLog("contoso", run)
	if end != "successful" {
		t.Fatalf("%s\n%s", end, text)
	}
	for what, want := range map[string]string{
		"the names of the cloud":     `"acrLoginServer":"azurecr.cn"`,
		"the issuer":                 `"token_endpoint":"https://login.microsoftonline.com/adfs/oauth2/token"`,
		"the server's own names":     `"acrLoginServer":"azurecr.` + s.Domain,
		"the registry's challenge":   `realm="https://contoso.azurecr.cn/oauth2/token",service="contoso.azurecr.cn"`,
		"the cloud":                  "AZURE_CLOUD_NAME=AzureCloud\r\n",
		"the endpoint":               "IDENTITY_ENDPOINT=http://169.254.169.254/msi/token",
		"the older endpoint":         "MSI_ENDPOINT=http://169.254.169.254/msi/token",
		"what containers trust":      "REQUESTS_CA_BUNDLE=/run/drydock/ca-certificates.crt",
		"the token":                  "Authorization: Bearer ey",
		"what the token opens":       `{"value":[]`,
		"the instance's endpoint":    `"token_type":"Bearer"`,
		"another machine's metadata": "404 Not Found",
		"a container on the host's":  `"client_id":`,
		"no metrics for a run":       "there is no such host",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q in\n%s", what, want, text)
		}
	}
	if strings.Contains(text, "MSI_SECRET") || regexp.MustCompile(`IDENTITY_HEADER=[^*\r\n]`).MatchString(text) {
		t.Errorf("what must not be in the log is there:\n%s", text)
	}
	header := regexp.MustCompile(`Authorization: Bearer (ey\S+)`).FindStringSubmatch(text)
	if header == nil {
		t.Fatal("the run got no token")
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.Host("management")+"/subscriptions?api-version=2022-12-01", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+header[1])
	resp, err := s.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the token of a run is good outside of it: %s", resp.Status)
	}
}

// An image is the same by all names of its registry: a run builds on one by its
// name in Azure's clouds, pushes by such a name, and a push of the base by the
// server's own name starts the next run.
func TestImagesByTheirCloudNames(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hubWith(t)}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	a.CreateRegistry("publicreg")
	pushBase(t, s, s.LoginServer("publicreg")+"/base:v1", "one")
	upload := a.Upload("contoso", `-- acr-task.yaml --
steps:
- build: -t contoso.azurecr.cn/app:{{.Run.ID}} .
- push: ["contoso.azurecr.cn/app:{{.Run.ID}}"]
-- Dockerfile --
FROM publicreg.azurecr.cn/base:v1
`)
	status, answer := a.Put("/registries/contoso/tasks/builds", fmt.Sprintf(`{"location":"chinaeast2","properties":{
		"platform":{"os":"Linux"},"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":%q},
		"credentials":{"customRegistries":{"publicreg.azurecr.cn":{"userName":{"type":"Opaque","value":%q},"password":{"type":"Opaque","value":%q}}}},
		"trigger":{"baseImageTrigger":{"name":"base","baseImageTriggerType":"Runtime","status":"Enabled"}}}}`, upload, s.ClientID, s.Secret))
	if status >= 300 {
		t.Fatal(status, answer)
	}
	runTask(a, t, "contoso", "builds")
	if got := a.RawRun("contoso", "ca1"); !strings.Contains(got, `"registry":"`+s.LoginServer("contoso")+`"`) || !strings.Contains(got, `"repository":"app"`) {
		t.Errorf("what the run has pushed: %s", got)
	}
	pushBase(t, s, s.LoginServer("publicreg")+"/base:v1", "two")
	runs := triggered(a, t, "contoso", "builds", 1)
	if *runs[0].Status != armcontainerregistry.RunStatusSucceeded {
		t.Errorf("the run after the push: %+v", runs[0])
	}
}
