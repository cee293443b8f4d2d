package serve_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

// realRegistry plays a registry of the real Azure, which the machine finds by its
// name. It returns the flag that makes the server trust it.
func realRegistry(t *testing.T, machine *serve.Machine, host string) (r *registry.Registry, flag string) {
	t.Helper()
	// All of 127.0.0.0/8 is this machine's: one of it that nobody else has at port 443.
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	address := fmt.Sprintf("127.77.%d.%d", port>>8, port&0xff)
	defer l.Close()
	r = registry.Start(t, registry.Options{Addr: address + ":443", TLS: true, Names: []string{host}, Users: map[string]string{"robot": "robot-password"}})
	file := machine.Path("/etc/hosts")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(text, "\n"+address+" "+host+"\n"...), 0o644)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err == nil {
		err = os.WriteFile(ca, r.CA, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, "--registries-cas=" + host + "=" + ca
}

// putReal pushes an image to the stand-in.
func putReal(t *testing.T, r *registry.Registry, host, image string, img v1.Image) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(r.CA)
	ref, err := name.ParseReference(r.Host + "/" + image)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: host, RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	err = remote.Write(ref, img, remote.WithTransport(transport), remote.WithContext(t.Context()), remote.WithAuth(&authn.Basic{Username: "robot", Password: "robot-password"}))
	if err != nil {
		t.Fatal(err)
	}
}

// looksOut are steps that show who answers a run for Azure's hosts, and what of an
// identity it has.
const looksOut = `- cmd: curl -sSk "https://management.chinacloudapi.cn/metadata/endpoints?api-version=2022-09-01"
- cmd: curl -sSk https://login.microsoftonline.com/adfs/.well-known/openid-configuration
- cmd: curl -sSki https://shop.vault.azure.cn/secrets/word?api-version=7.4
- cmd: busybox sh -c 'env | sed -n "s/^\\(IDENTITY\\|MSI\\)\\(_[A-Z]*\\)=.*/has \\1\\2/p"'
`

// Of what looksOut prints: with an identity and Drydock's hosts, and without.
var (
	insideSeen = []string{
		`"acrLoginServer":"azurecr.cn"`, `"token_endpoint":"https://login.microsoftonline.com/adfs/oauth2/token"`,
		`resource="https://vault.azure.cn"`, "has IDENTITY_ENDPOINT", "has IDENTITY_HEADER", "has MSI_ENDPOINT",
	}
	outsideSeen = []string{
		"outside management.chinacloudapi.cn/metadata/endpoints", "outside login.microsoftonline.com/adfs/", "outside shop.vault.azure.cn/secrets/word",
	}
)

// A registry here and one of the real Azure have one name: which of them a run
// reaches depends on its task alone, and so do its other hosts, and the identity
// that it may show them.
func TestTheRealAzureIsReachedByRun(t *testing.T) {
	t.Parallel()
	const host = "contoso.azurecr.cn"
	machine := serve.NewMachine(t)
	real, trust := realRegistry(t, machine, host)
	newOutsider(t, 1).named(machine, "management.chinacloudapi.cn", "login.microsoftonline.com", "shop.vault.azure.cn")
	s := serve.Start(t, serve.Options{Machine: machine, Args: []string{hubWith(t, images.Curl), trust, "--azure-real=contoso/deploys"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	pushBase(t, s, s.LoginServer("contoso")+"/base:v1", "here")
	putReal(t, real, host, "base:v1", baseImage(t, "there"))
	upload := a.Upload("contoso", "-- acr-task.yaml --\nsteps:\n- build: -t local/app --build-arg run={{.Run.ID}} --cache-from type=registry,ref="+host+"/cache --cache-to type=registry,ref="+host+"/cache .\n- cmd: "+host+"/base:v1 echo it runs\n- cmd: docker tag local/app "+host+"/app:v1\n- push: ["+host+"/app:v1]\n"+looksOut+
		"-- Dockerfile --\nFROM "+host+"/base:v1\nARG run\nRUN echo \"$run is from $VERSION\"\n")
	for _, task := range []string{"deploys", "stays", "deploys"} {
		credentials, want, seen, unseen := "", "here", insideSeen, outsideSeen
		if task == "deploys" {
			seen, unseen = outsideSeen, insideSeen
			want, credentials = "there", fmt.Sprintf(`"credentials":{"customRegistries":{%q:{"userName":{"type":"Opaque","value":"robot"},"password":{"type":"Opaque","value":"robot-password"}}}},`, host)
		}
		status, answer := a.Put("/registries/contoso/tasks/"+task, fmt.Sprintf(`{"location":"chinaeast2","identity":{"type":"SystemAssigned"},"properties":{%s
			"platform":{"os":"Linux"},"step":{"type":"FileTask","taskFilePath":"acr-task.yaml","contextPath":%q}}}`, credentials, upload))
		if status >= 300 {
			t.Fatal(status, answer)
		}
		id := a.Schedule("contoso", &armcontainerregistry.TaskRunRequest{Type: to.Ptr("TaskRunRequest"), TaskID: to.Ptr(taskID(a, "contoso", task))})
		text, end := a.WaitLog("contoso", id)
		if end != "successful" || !strings.Contains(text, id+" is from "+want) || strings.Contains(text, "drydock.internal") {
			t.Errorf("%s: %s\n%s", task, end, text)
		}
		for _, word := range slices.Concat(seen, unseen) {
			if strings.Contains(text, word) != slices.Contains(seen, word) {
				t.Errorf("%s: %q is in its log, or missing:\n%s", task, word, text)
			}
		}
	}
	pushes := map[string]int{}
	for _, r := range real.Requests() {
		if r.Method == "PUT" && strings.Contains(r.Path, "/manifests/") && r.Status < 300 {
			pushes[r.Repository]++
		}
	}
	if pushes["app"] != 2 || pushes["cache"] != 2 {
		t.Errorf("pushes to the real registry: %v, want those of the two runs of the real task", pushes)
	}
}
