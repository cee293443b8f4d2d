package arm_test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
)

func FuzzContainerGroup(f *testing.F) {
	const one = `{"properties":{"containers":[{"name":"c","properties":{"image":"i"`
	for _, seed := range []string{
		groupBody, one + `}}]}}`, `[]`, `{"properties":null}`, `{"properties":{"containers":[null]}}`,
		one + `,"resources":{"limits":{"cpu":1e308,"memoryInGB":-1}}}}]}}`,
		one + `,"resources":{"requests":{"cpu":0.001,"memoryInGB":0.0000001}}}}]}}`,
		one + `,"readinessProbe":{"httpGet":{"port":80,"path":"//host/x"}}}}]}}`,
		one + `,"livenessProbe":{"httpGet":{"port":65536,"path":"@host:1/"},"exec":{"command":["a"]}}}}]}}`,
		one + `,"volumeMounts":[{"name":"v","mountPath":"/../.."}]}}],"volumes":[{"name":"v","secret":{"..":"eA==","a/b":"eA=="}}]}}`,
		one + `,"environmentVariables":[{"name":"A","value":"x","secureValue":"y"},{"name":"","value":1}]}}]}}`,
		one + `,"ports":[{"port":80},{"port":80,"protocol":"UDP"}]}}],"ipAddress":{"type":"Public","ports":[{"port":0}]}}}`,
		one + `}}],"imageRegistryCredentials":[{"server":"HTTPS://Host/path","identity":"/subscriptions/s"}],"diagnostics":{"logAnalytics":{"workspaceKey":"k"}}}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := arm.ContainerGroupOf(text)
		if err != nil {
			return
		}
		checkGroup(t, g)
		kept, public, err := arm.SealContainerGroup(text)
		if err != nil {
			t.Fatalf("what was taken can't be read again: %v", err)
		}
		if d := cmp.Diff(g, kept); d != "" {
			t.Errorf("what is kept is something else (-taken +kept):\n%s", d)
		}
		for _, c := range g.Credentials {
			if len(c.Password) > 20 && bytes.Contains(public, []byte(c.Password)) && strings.Count(text, c.Password) == 1 {
				t.Errorf("a password stays in %s", public)
			}
		}
	})
}

// checkGroup checks what the instances rely on.
func checkGroup(t *testing.T, g drydock.ContainerGroup) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range slices.Concat(g.Init, g.Containers) {
		if c.Name == "" || seen[c.Name] || strings.ContainsAny(c.Name, "/.\x00") || c.Image == "" {
			t.Errorf("a container called %q of image %q", c.Name, c.Image)
		}
		seen[c.Name] = true
		if c.CPUs < 0 || c.Memory < 0 || c.CPUs > 1024 || c.Memory > 1<<45 {
			t.Errorf("%g CPUs and %d bytes", c.CPUs, c.Memory)
		}
		for _, kv := range c.Env {
			if name, _, ok := strings.Cut(kv, "="); !ok || name == "" || strings.Contains(kv, "\x00") {
				t.Errorf("the variable %q", kv)
			}
		}
		for _, p := range []*drydock.Probe{c.Ready, c.Alive} {
			checkProbe(t, p)
		}
	}
	for _, v := range g.Volumes {
		for name := range v.Files {
			if strings.ContainsAny(name, "/\x00") || name == "" || name == "." || name == ".." {
				t.Errorf("the file %q", name)
			}
		}
	}
	for _, p := range g.Ports {
		if p.Number == 0 || p.Protocol != "tcp" && p.Protocol != "udp" {
			t.Errorf("the port %+v", p)
		}
	}
}

// checkProbe checks that a probe asks the group itself and nobody else.
func checkProbe(t *testing.T, p *drydock.Probe) {
	t.Helper()
	if p == nil {
		return
	}
	if (p.URL == "") == (len(p.Exec) == 0) || p.Period < 1 || p.Timeout < 1 || p.FailureThreshold < 1 || p.SuccessThreshold < 1 || p.Delay < 0 {
		t.Errorf("the probe %+v", p)
	}
	if p.URL == "" {
		return
	}
	if u, err := url.Parse(p.URL); err != nil || u.Scheme != "http" || u.Hostname() != "localhost" || u.Port() == "" {
		t.Errorf("the probe asks %s: %v", p.URL, err)
	}
}
