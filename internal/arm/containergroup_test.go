package arm_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock"
)

// groupBody is a container group with something of everything.
const groupBody = `{"location":"westeurope","tags":{"a":"b"},"properties":{
	"osType":"Linux","restartPolicy":"OnFailure",
	"containers":[{"name":"web","properties":{"image":"contoso.example/web:v1","command":["/bin/web","-v"],
		"ports":[{"port":80}],"resources":{"requests":{"cpu":0.5,"memoryInGB":0.25},"limits":{"cpu":2}},
		"environmentVariables":[{"name":"A","value":"1"},{"name":"B","secureValue":"hush-env"}],
		"volumeMounts":[{"name":"files","mountPath":"/run/files"},{"name":"scratch","mountPath":"/tmp/x"}],
		"readinessProbe":{"httpGet":{"port":80,"path":"/ready?x=1"},"periodSeconds":2},
		"livenessProbe":{"exec":{"command":["true"]}}}}],
	"initContainers":[{"name":"first","properties":{"image":"contoso.example/init:v1","environmentVariables":[{"name":"C","secureValue":"hush-init"}]}}],
	"imageRegistryCredentials":[{"server":"https://contoso.example/","username":"me","password":"hush-password"}],
	"volumes":[{"name":"files","secret":{"key":"aHVzaC1maWxl"}},{"name":"scratch","emptyDir":{}}],
	"ipAddress":{"type":"Public","ports":[{"port":80,"protocol":"tcp"},{"port":53,"protocol":"UDP"}],"dnsNameLabel":"page","ip":"203.0.113.1"}}}`

func (s *sdk) groupPath(name string) string {
	return "/subscriptions/" + s.Subscription + "/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/" + name
}

func TestContainerGroup(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	made := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), groupBody)
	if made.Status != http.StatusCreated || made.At("properties.provisioningState") != "Succeeded" || made.At("properties.ipAddress.ip") != "192.0.2.1" ||
		made.At("properties.ipAddress.fqdn") != "page.westeurope.azurecontainer.drydock.test" {
		t.Fatalf("%d %v", made.Status, made.Body)
	}
	id := s.Scope("g", "containerGroups", "page")
	id.Namespace = "Microsoft.ContainerInstance"
	g, err := s.Server.ContainerGroup(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	c := g.Containers[0]
	if c.CPUs != 2 || c.Memory != 256<<20 || strings.Join(c.Command, " ") != "/bin/web -v" || strings.Join(c.Env, " ") != "A=1 B=hush-env" ||
		c.Ready.URL != "http://localhost:80/ready?x=1" || c.Ready.Period != 2 || c.Ready.FailureThreshold != 3 || c.Alive.Exec[0] != "true" || len(c.Mounts) != 2 {
		t.Errorf("the container: %+v %+v", c, c.Ready)
	}
	if g.Init[0].Env[0] != "C=hush-init" || g.Credentials[0] != (drydock.Credential{Registry: "contoso.example", Username: "me", Password: "hush-password"}) ||
		string(g.Volumes[0].Files["key"]) != "hush-file" || g.Volumes[1].Files != nil || g.RestartPolicy != drydock.RestartOnFailure ||
		!g.Public || g.Ports[1] != (drydock.GroupPort{Number: 53, Protocol: "udp"}) || g.Digests["contoso.example/web:v1"] != "sha256:contoso.example/web:v1" {
		t.Errorf("the group: %+v", g)
	}
	for _, path := range []string{s.groupPath("page"), strings.TrimSuffix(s.groupPath("page"), "/page")} {
		shown := s.Do(t, s.token, http.MethodGet, path, "")
		text, err := json.Marshal(shown.Body)
		if err != nil || shown.Status != http.StatusOK || strings.Contains(string(text), "hush") || strings.Contains(string(text), "aHVzaC1maWxl") {
			t.Errorf("%s: %d %s", path, shown.Status, text)
		}
	}
	// The same again makes nothing anew; another image does.
	if again := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), groupBody); again.Status != http.StatusOK {
		t.Errorf("again: %d %v", again.Status, again.Body)
	}
	if now, err := s.Server.ContainerGroup(t.Context(), id); err != nil || now.Generation != g.Generation {
		t.Errorf("the same again: %v, %q and %q", err, g.Generation, now.Generation)
	}
	for _, change := range []struct{ method, path, body string }{
		{http.MethodPut, "", strings.Replace(groupBody, "web:v1", "web:v2", 1)}, {http.MethodPost, "/restart", ""},
	} {
		old := g.Generation
		if a := s.Do(t, s.token, change.method, s.groupPath("page")+change.path, change.body); a.Status >= 300 {
			t.Errorf("%v: %d %v", change, a.Status, a.Body)
		}
		if g, err = s.Server.ContainerGroup(t.Context(), id); err != nil || g.Generation == old {
			t.Errorf("%s: still generation %q, %v", change.path, g.Generation, err)
		}
	}
	for _, c := range []struct{ verb, state string }{{"stop", "Stopped"}, {"start", "Running"}} {
		if a := s.Do(t, s.token, http.MethodPost, s.groupPath("page")+"/"+c.verb, ""); a.Status != http.StatusNoContent {
			t.Errorf("%s: %d %v", c.verb, a.Status, a.Body)
		}
		if got := s.Do(t, s.token, http.MethodGet, s.groupPath("page"), "").At("properties.instanceView.state"); got != c.state {
			t.Errorf("after %s: %v", c.verb, got)
		}
	}
	if a := s.Do(t, s.token, http.MethodPatch, s.groupPath("page"), `{"tags":{"c":"d"}}`); a.At("tags.c") != "d" || a.At("tags.a") != nil {
		t.Errorf("changed: %v", a.Body)
	}
	if a := s.Do(t, s.token, http.MethodGet, s.groupPath("page")+"/containers/WEB/logs?tail=5", ""); a.At("content") != "output of web\n" {
		t.Errorf("logs: %d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodPost, s.groupPath("page")+"/containers/web/exec", `{"command":"sh -c 'a b'","terminalSize":{"rows":0,"cols":0}}`); !strings.HasPrefix(fmt.Sprint(a.At("webSocketUri")), "wss://") || a.At("password") != "secret" {
		t.Errorf("exec: %d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodDelete, s.groupPath("page"), ""); a.Status != http.StatusOK || a.At("name") != "page" {
		t.Errorf("deleted: %d %v", a.Status, a.Body)
	}
	if a := s.Do(t, s.token, http.MethodDelete, s.groupPath("page"), ""); a.Status != http.StatusNoContent {
		t.Errorf("deleted again: %d %v", a.Status, a.Body)
	}
}

func TestBadContainerGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	s.Instances.Broken["contoso.example/gone:v1"] = drydock.Errorf(drydock.Failed, "not found")
	s.Instances.Broken["contoso.example/away:v1"] = drydock.Errorf(drydock.Unavailable, "no answer")
	if a := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), groupBody); a.Status != http.StatusCreated {
		t.Fatal(a)
	}
	for _, c := range []struct {
		old, new, code string
		status         int
	}{
		{`"osType":"Linux"`, `"osType":"Windows"`, "UnsupportedFeature", 400},
		{`"type":"Public"`, `"type":"Private"`, "UnsupportedFeature", 400},
		{`"emptyDir":{}`, `"azureFile":{"shareName":"x"}`, "UnsupportedFeature", 400},
		{`"emptyDir":{}`, `"other":{}`, "InvalidVolume", 400},
		{`"name":"web"`, `"name":"We_b"`, "InvalidRequestContent", 400},
		{`"name":"web"`, `"name":"first"`, "DuplicateContainerName", 400},
		{`"image":"contoso.example/web:v1",`, ``, "InvalidRequestContent", 400},
		{`"port":80}],"resources"`, `"port":80},{"port":80}],"resources"`, "DuplicateContainerPorts", 400},
		{`{"port":53,"protocol":"UDP"}`, `{"port":80}`, "DuplicatePorts", 400},
		{`{"port":53,"protocol":"UDP"}`, `{"port":70000}`, "InvalidRequestContent", 400},
		{`"cpu":2`, `"cpu":-1`, "InvalidResourceRequirements", 400},
		{`"secureValue":"hush-env"`, `"secureValue":"x","value":"y"`, "InvalidEnvironmentVariable", 400},
		{`"name":"scratch","mountPath"`, `"name":"nowhere","mountPath"`, "VolumeNotFound", 400},
		{`"key":"aHVzaC1maWxl"`, `"../key":"aHVzaC1maWxl"`, "InvalidSecretVolume", 400},
		{`"key":"aHVzaC1maWxl"`, `"key":"???"`, "InvalidSecretVolume", 400},
		{`"httpGet":{"port":80,"path":"/ready?x=1"},`, ``, "InvalidProbe", 400},
		{`"periodSeconds":2`, `"periodSeconds":0`, "InvalidProbe", 400},
		{`web:v1`, `gone:v1`, "InaccessibleImage", 400},
		{`web:v1`, `away:v1`, "RegistryErrorResponse", 409},
		{`"page","ip"`, `"Page_","ip"`, "InvalidRequestContent", 400},
		{`"containers":[`, `"containers":[],"other":[`, "InvalidContainerCount", 400},
		{`westeurope`, `eastus`, "InvalidResourceLocation", 409},
		// It is part of the group's host name, which goes into hosts files.
		{`westeurope`, `x\u000bbank.example\u000by`, "InvalidRequestContent", 400},
		{`westeurope`, `x\n192.0.2.1 bank.example`, "InvalidRequestContent", 400},
		{`westeurope`, `x#`, "InvalidRequestContent", 400},
	} {
		body := strings.Replace(groupBody, c.old, c.new, 1)
		if body == groupBody {
			t.Fatal("nothing is wrong with ", c.old)
		}
		if a := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), body); a.Status != c.status || a.Code() != c.code {
			t.Errorf("%s: %d %v", c.new, a.Status, a.Body)
		}
	}
	if a := s.Do(t, s.token, http.MethodPut, s.groupPath("other"), groupBody); a.Status != http.StatusConflict || a.Code() != "DnsNameLabelAlreadyExists" {
		t.Errorf("a label that is taken: %d %v", a.Status, a.Body)
	}
	for path, want := range map[string]int{"/containers/none/logs": 404, "/containers/web/logs?tail=x": 400} {
		if a := s.Do(t, s.token, http.MethodGet, s.groupPath("page")+path, ""); a.Status != want {
			t.Errorf("%s: %d %v", path, a.Status, a.Body)
		}
	}
	for _, body := range []string{`{}`, `{"command":"'"}`, `{"command":"sh","terminalSize":{"rows":-1}}`} {
		if a := s.Do(t, s.token, http.MethodPost, s.groupPath("page")+"/containers/web/exec", body); a.Status != http.StatusBadRequest {
			t.Errorf("exec %s: %d %v", body, a.Status, a.Body)
		}
	}
}

// Of groups that are created at once with one DNS label, one has it.
func TestContainerGroupsRaceForALabel(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	const creators = 8
	// All are asked for their images before any is stored.
	var asked sync.WaitGroup
	asked.Add(creators)
	s.Instances.Checking = func() {
		asked.Done()
		asked.Wait()
	}
	codes := make([]string, creators)
	var all sync.WaitGroup
	for i := range creators {
		all.Go(func() {
			a := s.Do(t, s.token, http.MethodPut, s.groupPath(fmt.Sprint("page", i)), groupBody)
			codes[i] = fmt.Sprint(a.Status, a.Code())
		})
	}
	all.Wait()
	slices.Sort(codes)
	want := append([]string{"201"}, slices.Repeat([]string{"409DnsNameLabelAlreadyExists"}, creators-1)...)
	if !slices.Equal(codes, want) {
		t.Errorf("the answers are %v", codes)
	}
	s.Instances.Checking = nil
	// A group elsewhere has another name, and one that lets go of its label frees it.
	elsewhere := strings.Replace(groupBody, "westeurope", "East US", 1)
	if a := s.Do(t, s.token, http.MethodPut, s.groupPath("elsewhere"), elsewhere); a.At("properties.ipAddress.fqdn") != "page.eastus.azurecontainer.drydock.test" {
		t.Errorf("elsewhere: %d %v", a.Status, a.Body)
	}
	for _, c := range []struct {
		name, label string
		status      int
	}{{"elsewhere", "other", 200}, {"more", "page", 201}, {"elsewhere", "page", 409}, {"elsewhere", "other", 200}} {
		if a := s.Do(t, s.token, http.MethodPut, s.groupPath(c.name), strings.Replace(elsewhere, `"page"`, `"`+c.label+`"`, 1)); a.Status != c.status {
			t.Errorf("%s wants %s: %d %v", c.name, c.label, a.Status, a.Body)
		}
	}
}

// Conditions count before registries are asked, and nobody is asked in vain.
func TestConditionsOfContainerGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	for _, c := range []struct {
		header, value string
		status        int
		asked         bool
	}{
		{"If-Match", "*", http.StatusPreconditionFailed, false},
		{"If-None-Match", "*", http.StatusCreated, true},
		{"If-None-Match", "*", http.StatusPreconditionFailed, false},
		{"If-Match", `"other"`, http.StatusPreconditionFailed, false},
		{"If-Match", "*", http.StatusOK, true},
	} {
		asked := false
		s.Instances.Checking = func() { asked = true }
		a := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), groupBody, c.header, c.value)
		if a.Status != c.status || asked != c.asked {
			t.Errorf("%s %s: %d %v; registries were asked: %t", c.header, c.value, a.Status, a.Body, asked)
		}
	}
}

// What is created while what it is in is deleted is not there: nobody would end it.
func TestContainerGroupInADyingGroup(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	s.Deleted.Hold = make(chan struct{})
	s.Instances.Checking = func() {
		if a := s.Do(t, s.token, http.MethodDelete, "/subscriptions/"+s.Subscription+"/resourceGroups/g", ""); a.Status != http.StatusAccepted {
			t.Errorf("deleting the resource group: %d %v", a.Status, a.Body)
		}
	}
	if a := s.Do(t, s.token, http.MethodPut, s.groupPath("page"), groupBody); a.Status != http.StatusConflict || a.Code() != "ResourceGroupBeingDeleted" {
		t.Errorf("a container group in it: %d %v", a.Status, a.Body)
	}
	if len(s.Instances.Synced) > 0 {
		t.Errorf("%v is started", s.Instances.Synced)
	}
	close(s.Deleted.Hold)
}
