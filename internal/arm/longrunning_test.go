package arm_test

import (
	"go/ast"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/arm/armtest"
)

// longRunning returns those routes that clients of Azure's poll: of each function
// Begin… of the SDK's the request that it sends. Their paths have "{}" for
// parameters and are in lower case.
func longRunning(t *testing.T) []operation {
	t.Helper()
	const sdk = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/"
	served := map[operation]bool{}
	for _, rt := range arm.Routes() {
		served[operation{rt.Method, plain(rt.Path)}] = !rt.Unserved
	}
	found := map[operation]bool{}
	for _, module := range []string{
		"containerregistry/armcontainerregistry", "containerinstance/armcontainerinstance/v2", "keyvault/armkeyvault", "resources/armresources",
	} {
		files, _ := sdkClients(t, sdk+module)
		for _, file := range files {
			functions := map[string]*ast.FuncDecl{}
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					functions[strings.ToLower(f.Name.Name)] = f
				}
			}
			for name := range functions {
				if verb, begins := strings.CutPrefix(name, "begin"); begins {
					o := operationOf(t, functions[verb+"createrequest"])
					if o.path = plain(o.path); served[o] {
						found[o] = true
					}
				}
			}
		}
	}
	return slices.Collect(maps.Keys(found))
}

func plain(path string) string { return strings.ToLower(parameter.ReplaceAllString(path, "{}")) }

// What becomes of a long-running operation while nothing in the background ends.
type outcome int

const (
	done     outcome = iota // it has been done when it is answered
	polled                  // the answer is a place to ask
	changing                // the answer is the resource, which is asked for
)

// longRunningCases are all of them, in an order in which they can be done.
var longRunningCases = []struct {
	method, path, body string
	want               outcome
}{
	{"PUT", "{R}", `{"location":"westeurope","sku":{"name":"Standard"}}`, done},
	{"PATCH", "{R}", `{"tags":{"a":"b"}}`, done},
	{"PUT", "{R}/tasks/nightly", `{"properties":{"platform":{"os":"Linux"},"step":{"type":"EncodedTask","encodedTaskContent":"eA=="}}}`, done},
	{"PATCH", "{R}/tasks/nightly", `{"tags":{"a":"b"}}`, done},
	{"PUT", "{R}/agentPools/big", `{"properties":{"count":3}}`, done},
	{"PATCH", "{R}/agentPools/big", `{"properties":{"count":2}}`, done},
	{"PUT", "{R}/scopeMaps/reader", `{"properties":{"actions":["repositories/hello/content/read"]}}`, done},
	{"PATCH", "{R}/scopeMaps/reader", `{"properties":{"description":"to read"}}`, done},
	{"PUT", "{R}/tokens/robot", `{"properties":{"scopeMapId":"{R}/scopeMaps/reader"}}`, done},
	{"PATCH", "{R}/tokens/robot", `{"properties":{"status":"disabled"}}`, done},
	{"POST", "{R}/generateCredentials", `{"tokenId":"{R}/tokens/robot"}`, done},
	{"PUT", "{R}/webhooks/teller", `{"location":"westeurope","properties":{"serviceUri":"https://hooks.example","actions":["push"]}}`, done},
	{"PATCH", "{R}/webhooks/teller", `{"tags":{"a":"b"}}`, done},
	{"POST", "{R}/scheduleRun", `{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"}}`, done},
	{"PATCH", "{R}/runs/ca1", `{"isArchiveEnabled":true}`, done},
	{"POST", "{R}/runs/ca1/cancel", "", done},
	{"PUT", "{R}/taskRuns/once", `{"properties":{"runRequest":{"type":"EncodedTaskRunRequest","encodedTaskContent":"eA==","platform":{"os":"Linux"}}}}`, changing},
	{"PATCH", "{R}/taskRuns/once", `{"properties":{"forceUpdateTag":"2"}}`, changing},
	{"POST", "{R}/importImage", `{"source":{"registryUri":"docker.io","sourceImage":"library/busybox"},"targetTags":["busybox"]}`, polled},
	{"PUT", "{V}", `{"location":"westeurope","properties":{"tenantId":"{T}","sku":{"name":"standard","family":"A"},"accessPolicies":[]}}`, done},
	{"PUT", "{C}", groupBody, changing},
	{"POST", "{C}/start", "", done},
	{"POST", "{C}/restart", "", done},
}

// deletions are those of what the cases make, which differ from them: they are
// done all at once, since each is waited for.
var deletions = []string{
	"{R}/tasks/nightly", "{R}/agentPools/big", "{R}/tokens/robot", "{R}/scopeMaps/reader", "{R}/webhooks/teller", "{R}/taskRuns/once",
	"{C}", "{V}", "{R}", "{G}",
}

// Clients that are not told how long to wait ask every half a minute: whatever
// goes on after its answer says Retry-After, in that and in each that follows.
func TestWhatGoesOnIsAskedForEverySecond(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.group(t)
	s.Deleted.Hold, s.Instances.Slow = make(chan struct{}), true
	group := s.Scope("g").String()
	names := strings.NewReplacer(
		"{R}", group+"/providers/Microsoft.ContainerRegistry/registries/contoso", "{G}", group, "{T}", s.Tenant,
		"{C}", group+"/providers/Microsoft.ContainerInstance/containerGroups/page", "{V}", group+"/providers/Microsoft.KeyVault/vaults/a-vault",
		"{D}", "/subscriptions/"+s.Subscription+"/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/a-vault",
	)
	missing := longRunning(t)
	if len(missing) < 30 {
		t.Errorf("only %d long-running operations found in the SDK", len(missing))
	}
	did := func(t *testing.T, method, path string) {
		route, _, _, err := arm.RouteOf(method, path)
		if err != nil {
			t.Fatal(err)
		}
		missing = slices.DeleteFunc(missing, func(o operation) bool { return o == operation{method, plain(route)} })
	}
	for _, c := range longRunningCases {
		path := names.Replace(c.path)
		did(t, c.method, path)
		if a := s.Do(t, s.token, c.method, path, names.Replace(c.body)); outcomeOf(t, a) != c.want {
			t.Fatalf("%s %s: outcome %d, want %d: %d %v", c.method, c.path, outcomeOf(t, a), c.want, a.Status, a.Body)
		}
		if c.want == changing {
			s.stillChanges(t, path)
		}
	}
	paths := make([]string, len(deletions))
	for i, path := range deletions {
		paths[i] = names.Replace(path)
		did(t, http.MethodDelete, paths[i])
	}
	s.deleteAll(t, paths)
	purge := names.Replace("{D}/purge")
	did(t, http.MethodPost, purge)
	if a := s.Do(t, s.token, http.MethodPost, purge, ""); outcomeOf(t, a) != done {
		t.Errorf("purging: %d %v", a.Status, a.Body)
	}
	for _, o := range missing {
		t.Errorf("no case does %s %s", o.method, o.path)
	}
}

// The place to ask has the client's api-version as it was sent, whatever is in it.
func TestPlacesToAskAreURLs(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.registry(t, "contoso")
	for _, version := range []string{"2023-07-01", "a%26b=c%20d", "x%0d%0aY:%20z"} {
		a := s.Do(t, s.token, http.MethodPost, s.Scope("g", "registries", "contoso").String()+"/importImage?api-version="+version,
			`{"source":{"registryUri":"docker.io","sourceImage":"library/busybox"},"targetTags":["busybox"]}`)
		place, err := url.Parse(a.Header.Get("Location"))
		want, _ := url.QueryUnescape(version)
		if a.Status != http.StatusAccepted || err != nil || place.Query().Get("api-version") != want || len(place.Query()) != 1 {
			t.Errorf("%s: %d %q %v", version, a.Status, a.Header.Get("Location"), err)
		}
	}
}

// outcomeOf says what an answer tells a poller, which must hear how long to wait
// if it tells to wait.
func outcomeOf(t *testing.T, a armtest.Answer) outcome {
	t.Helper()
	what, state := done, a.At("properties.provisioningState")
	switch {
	case a.Status >= 300:
		t.Fatalf("%d %v", a.Status, a.Body)
	case a.Status == http.StatusAccepted:
		what = polled
		if !strings.HasPrefix(a.Header.Get("Location"), "https://") {
			t.Errorf("the place to ask is %q", a.Header.Get("Location"))
		}
	case state != nil && state != "Succeeded":
		what = changing
	}
	if after := a.Header.Get("Retry-After"); (after == "1") != (what != done) {
		t.Errorf("outcome %d has Retry-After %q: %d %v", what, after, a.Status, state)
	}
	return what
}

// stillChanges asks for a resource as a poller does.
func (s *sdk) stillChanges(t *testing.T, path string) {
	t.Helper()
	if a := s.Do(t, s.token, http.MethodGet, path, ""); outcomeOf(t, a) != changing {
		t.Errorf("%s is %v", path, a.At("properties.provisioningState"))
	}
}

// deleteAll deletes what doesn't end before it is let go, and polls.
func (s *sdk) deleteAll(t *testing.T, paths []string) {
	t.Helper()
	answers := make([]armtest.Answer, len(paths))
	var begun sync.WaitGroup
	for i, path := range paths {
		begun.Go(func() { answers[i] = s.Do(t, s.token, http.MethodDelete, path, "") })
	}
	begun.Wait()
	poll := func(i int) outcome {
		return outcomeOf(t, s.Do(t, s.token, http.MethodGet, answers[i].Header.Get("Location"), ""))
	}
	for i, path := range paths {
		if outcomeOf(t, answers[i]) != polled {
			t.Fatalf("deleting %s: %d %v", path, answers[i].Status, answers[i].Body)
		}
		s.stillChanges(t, path)
		if poll(i) != polled {
			t.Errorf("the deletion of %s has ended before it may", path)
		}
	}
	close(s.Deleted.Hold)
	for i := range paths {
		s.ended(t, answers[i])
	}
}
