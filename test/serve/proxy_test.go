package serve_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/drydockhq/drydock/test/serve"
)

// proxied is a client behind the proxy of a server, which trusts nothing but that.
func proxied(t *testing.T, s *serve.Server) (client *http.Client, address string) {
	t.Helper()
	found := regexp.MustCompile(`"proxy":"([^"]+)"`).FindStringSubmatch(s.Log())
	if found == nil {
		t.Fatal("the server has no proxy")
	}
	at := &url.URL{Scheme: "http", Host: found[1]}
	pem, err := os.ReadFile(filepath.Join(s.Data, "certs", "clients.pem"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{Proxy: http.ProxyURL(at), TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: time.Minute}, found[1]
}

// Behind the proxy, the server is Azure's cloud in China: it answers by the names
// of that and hands them out.
func TestProxyIsACloud(t *testing.T) {
	t.Parallel()
	s := serve.Start(t, serve.Options{Args: []string{hub(t), "--proxy=127.0.0.1:0"}})
	a := s.Azure()
	a.CreateRegistry("contoso")
	client, _ := proxied(t, s)
	token, err := s.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://management.core.chinacloudapi.cn//.default"}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, address string) string {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(address, "https://management.") {
			req.Header.Set("Authorization", "Bearer "+token.Token)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("WWW-Authenticate"), " ", string(text))
	}
	registry := "https://management.chinacloudapi.cn/subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.ContainerRegistry/registries/contoso"
	id := a.Schedule("contoso", slow("0"))
	a.WaitLog("contoso", id)
	var link struct{ LogLink string }
	answer := ask(http.MethodPost, registry+"/runs/"+id+"/listLogSasUrl?api-version=2019-06-01-preview")
	if err := json.Unmarshal([]byte(answer[strings.Index(answer, "{"):]), &link); err != nil || !strings.HasPrefix(link.LogLink, "https://drydock.blob.core.chinacloudapi.cn/") {
		t.Fatal(answer, err)
	}
	for address, want := range map[string]string{
		registry + "?api-version=2023-07-01":                         `"loginServer":"contoso.azurecr.cn"`,
		registry + "/runs/" + id + "?api-version=2019-06-01-preview": `"status":"Succeeded"`,
		link.LogLink:                     "begun",
		"https://contoso.azurecr.cn/v2/": `realm="https://contoso.azurecr.cn/oauth2/token",service="contoso.azurecr.cn"`,
		"https://contoso.azurecr.io/v2/": `realm="https://contoso.azurecr.io/oauth2/token"`,
		"https://login.chinacloudapi.cn/" + s.Tenant + "/v2.0/.well-known/openid-configuration": `"token_endpoint":"https://login.chinacloudapi.cn/` + s.Tenant,
		"https://management.azure.com/metadata/endpoints?api-version=2022-09-01":                `"keyVaultDns":"vault.azure.net"`,
		"https://" + s.Host("management") + "/metadata/endpoints?api-version=2022-09-01":        `"acrLoginServer":"azurecr.` + s.Domain,
		"http://169.254.169.254/metadata/identity/oauth2/token?resource=x":                      "400  {\"error\":\"invalid_request\"",
		"http://example.com/":                     "403 ",
		"http://127.0.0.1:" + s.Port + "/metrics": "403 ",
		"http://localhost:" + s.Port + "/healthz": "403 ",
	} {
		if got := ask(http.MethodGet, address); !strings.Contains(got, want) {
			t.Errorf("%s: %s\nwant %s", address, got, want)
		}
	}
}

// The proxy connects to nothing but the server, also when it lets all else through:
// not to loopback, not to where clouds keep credentials, not by another spelling or
// by a name for it.
func TestProxyRefusesThisMachine(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	hosts, err := os.OpenFile(machine.Path("/etc/hosts"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = hosts.WriteString("\n127.0.0.1 looped.example\n::1 looped6.example\n169.254.169.254 metadata.example\n")
		hosts.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	outsider := newOutsider(t, 2)
	outsider.named(machine, "www.example")
	s := serve.Start(t, serve.Options{Machine: machine, Args: []string{"--proxy=127.0.0.1:0", "--azure-pass=*"}})
	_, proxy := proxied(t, s)
	ask := func(request string) string {
		t.Helper()
		c, err := net.Dial("tcp", proxy)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: contoso.azurecr.cn\r\n\r\n", request)
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Errorf("%s: %v", request, err)
		}
		return line
	}
	for to, status := range map[string]string{
		"127.0.0.1:" + s.Port: "403", "localhost:" + s.Port: "403", "localhost.:" + s.Port: "403", "127.1.2.3:22": "403", "[::1]:22": "403",
		"[::ffff:127.0.0.1]:22": "403", "[::ffff:7f00:1]:22": "403", "0.0.0.0:" + s.Port: "403", "[::]:22": "403",
		"169.254.169.254:8080": "403", "[64:ff9b::a9fe:a9fe]:80": "403", "168.63.129.16:80": "403", "[fe80::1]:80": "403",
		"looped.example:" + s.Port: "403", "LOOPED6.example.:22": "403", "metadata.example:80": "403",
		// Numbers that resolvers in C read as addresses.
		"2130706433:22": "400", "0x7f000001:22": "400", "0x7F.1:22": "400", "127.1:22": "400", "0177.0.0.1:22": "400", "017700000001:22": "400", "2852039166:80": "400",
	} {
		for _, request := range []string{"CONNECT " + to, "GET http://" + to + "/metrics"} {
			if line := ask(request); !strings.Contains(line, " "+status+" ") {
				t.Errorf("%s: %q, want %s", request, line, status)
			}
		}
	}
	// What Host says makes nothing of it the server's, nor does it take what is.
	if line := ask("CONNECT 169.254.169.254:80"); !strings.Contains(line, " 403 ") {
		t.Errorf("a tunnel to the metadata: %q", line)
	}
	if line := ask("GET http://169.254.169.254/metadata/identity/oauth2/token"); !strings.Contains(line, " 400 ") {
		t.Errorf("the metadata, which is answered here: %q", line)
	}
	for _, host := range []string{"www.example", "WWW.Example.", outsider.address.String()} {
		outsider.wantPassed(proxy, host)
	}
	wantSystemRoots(t, s, machine)
}

// The proxy lets through what the operator names, with what is below it, and
// nothing else of the same machine.
func TestProxyLetsThrough(t *testing.T) {
	t.Parallel()
	machine := serve.NewMachine(t)
	outsider := newOutsider(t, 3)
	outsider.named(machine, "www.example", "api.www.example", "other.example")
	s := serve.Start(t, serve.Options{Machine: machine, Args: []string{"--proxy=127.0.0.1:0", "--azure-pass=www.example", "--azure-pass=*.www.example"}})
	_, proxy := proxied(t, s)
	for _, host := range []string{"www.example", "api.www.example"} {
		outsider.wantPassed(proxy, host)
	}
	for _, host := range []string{"other.example", outsider.address.String()} {
		for _, scheme := range []string{"http", "https"} {
			if answer, err := outsider.through(proxy, scheme, host); err == nil && !strings.HasPrefix(answer, "403 ") || err != nil && !strings.Contains(err.Error(), "Forbidden") {
				t.Errorf("%s by %s: %s, %v", host, scheme, answer, err)
			}
		}
	}
	wantSystemRoots(t, s, machine)
}

// wantPassed asks for a host by a proxy, plainly and by a tunnel.
func (o *outsider) wantPassed(proxy, host string) {
	o.t.Helper()
	for _, scheme := range []string{"http", "https"} {
		if answer, err := o.through(proxy, scheme, host); err != nil || answer != "200 outside "+host+"/page\n" {
			o.t.Errorf("%s by %s: %q, %v", host, scheme, answer, err)
		}
	}
}

// through asks for a page by a proxy, and returns the status and the text.
func (o *outsider) through(proxy, scheme, host string) (string, error) {
	o.t.Helper()
	transport := &http.Transport{
		Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: proxy}), TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
	}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(scheme + "://" + host + "/page")
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprint(answer.StatusCode, " ", string(text)), err
}

// wantSystemRoots looks for what the machine trusts in what clients of the proxy do,
// beside the server's own.
func wantSystemRoots(t *testing.T, s *serve.Server, machine *serve.Machine) {
	t.Helper()
	bundle, err := os.ReadFile(filepath.Join(s.Data, "certs", "clients.pem"))
	if err != nil {
		t.Fatal(err)
	}
	system, err := os.ReadFile(machine.Path("/etc/ssl/certs/ca-certificates.crt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(system) == 0 || !bytes.Contains(bundle, bytes.TrimSpace(system)) || !bytes.Contains(bundle, bytes.TrimSpace(s.CA)) {
		t.Errorf("clients of the proxy have %d bytes of certificates, the machine %d", len(bundle), len(system))
	}
}
