package config_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/config"
)

func TestAzureSettings(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"azure.proxy=127.0.0.1:8888": "", "azure.proxy=localhost:0": "", "azure.proxy=[::1]:8888": "",
		"azure.proxy=:8888": "loopback", "azure.proxy=0.0.0.0:8888": "loopback", "azure.proxy=192.0.2.1:1": "loopback", "azure.proxy=127.0.0.1": "ADDRESS:PORT",
		"azure.proxy=127.0.0.1:http": "not a port", "azure.proxy=example.com:1": "loopback",
		"azure.pass=*": "", "azure.pass=*.Example.com": "", "azure.pass=pypi.org": "", "azure.pass=*foo.com": "neither", "azure.pass=a.*.com": "neither", "azure.pass=": "neither",
		"azure.real=contoso/*": "", "azure.real=*/*": "", "azure.real=Contoso/deploy-it": "", "azure.real=contoso": "REGISTRY/TASK", "azure.real=con*/x": "REGISTRY/TASK",
	} {
		name, v, _ := strings.Cut(strings.TrimPrefix(value, "azure."), "=")
		_, _, err := config.Load(config.Sources{File: []byte("azure:\n  " + name + ": \"" + v + "\"\n"), FileName: "x"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", value, err, want)
		}
	}
}

func TestProxyIsAFlagOfItsOwn(t *testing.T) {
	t.Parallel()
	for _, s := range []config.Sources{
		{Flags: map[string][]string{"proxy": {"127.0.0.1:1"}}},
		{Environ: []string{"DRYDOCK_PROXY=127.0.0.1:1", "DRYDOCK_PROXY_HTTP=http://proxy.example"}},
		{File: []byte("azure: {proxy: 127.0.0.1:1}\nproxy: {http: http://proxy.example}\n"), FileName: "x"},
	} {
		if c, _, err := config.Load(s); err != nil || c.Azure.Proxy != "127.0.0.1:1" {
			t.Error(c.Azure, err)
		}
	}
}

// In a file, "proxy" is the proxy by which the server reaches others.
func TestProxyInAFile(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(config.Sources{File: []byte("proxy: 127.0.0.1:8888\n"), FileName: "x"})
	if err == nil || !strings.Contains(err.Error(), "what --proxy sets is azure.proxy") {
		t.Error(err)
	}
}

func TestIsReal(t *testing.T) {
	t.Parallel()
	a := config.Azure{Real: []string{"contoso/deploy", "fabrikam/*"}}
	for task, want := range map[string]bool{
		"contoso/deploy": true, "Contoso/Deploy": true, "contoso/other": false, "contoso/": false,
		"fabrikam/any": true, "fabrikam/": true, "other/deploy": false,
	} {
		registry, name, _ := strings.Cut(task, "/")
		if got := a.IsReal(registry, name); got != want {
			t.Errorf("%s: %v", task, got)
		}
	}
}
