package compat_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/authorization/armauthorization/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armsubscriptions"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
	"github.com/drydockhq/drydock/test/serve"
)

func TestMain(m *testing.M) {
	status := m.Run()
	serve.Clean()
	os.Exit(status)
}

// site is a server on a machine whose programs find it by name and trust it, as
// after `drydockd serve --manage-hosts` and `drydockd trust`. The tests share
// it; each has a registry of its own.
type site struct {
	server   *serve.Server
	machine  *serve.Machine
	recorder *recorder
	trusting sync.Mutex
}

// newSite starts one; the server may have more flags.
func newSite(t *testing.T, args ...string) *site {
	t.Helper()
	hub := registry.Start(t, registry.Options{})
	if err := images.Push(t.Context(), hub.Host, images.Busybox+"=library/"+images.Busybox); err != nil {
		t.Fatal(err)
	}
	s := &site{machine: serve.NewMachine(t)}
	s.server = serve.Start(t, serve.Options{
		Domain: serve.LocalDomain, Machine: s.machine,
		Args: append([]string{
			"--manage-hosts", "--runs-slots=4", "--registries-mirrors=docker.io=http://" + hub.Host,
			// Whose groups the directory has; nobody asks it for anything.
			"--oidc-issuer=https://accounts.example", "--oidc-audiences=https://accounts.example",
		}, args...),
	})
	s.recorder = &recorder{routes: routes(t), next: s.server.HTTP(), well: map[*route]int{}}
	s.trust(t)
	return s
}

// trust makes the machine trust the server, and Docker for the registries.
func (s *site) trust(t *testing.T, registries ...string) {
	t.Helper()
	s.trusting.Lock()
	defer s.trusting.Unlock()
	args := append([]string{"trust", "--data", s.server.Data, "--domain", s.server.Domain, "--port", s.server.Port}, registries...)
	if out, err := s.machine.Command(context.Background(), serve.Program(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("trusting the server: %v\n%s", err, out)
	}
}

// options are those of the SDK's clients whose requests are counted.
func (s *site) options(t *testing.T) *arm.ClientOptions {
	t.Helper()
	o := s.server.On(t).ARM()
	o.Transport = s.recorder
	return o
}

// sdk is the Azure SDK for one test, with a registry of that test in the group
// serve.Group.
type sdk struct {
	*serve.Azure
	site     *site
	registry string
	login    string // server of the registry

	acr           *armcontainerregistry.ClientFactory
	resources     *armresources.ClientFactory
	subscriptions *armsubscriptions.ClientFactory
	authorization *armauthorization.ClientFactory
}

// sdk returns the SDK for a test, by whose name its registry is called.
func (s *site) sdk(t *testing.T) *sdk {
	t.Helper()
	server := s.server.On(t)
	a := &sdk{Azure: server.Azure(), site: s}
	o, admin := s.options(t), server.Admin()
	a.acr = must(armcontainerregistry.NewClientFactory(a.Subscription, admin, o))(t)
	a.resources = must(armresources.NewClientFactory(a.Subscription, admin, o))(t)
	a.subscriptions = must(armsubscriptions.NewClientFactory(admin, o))(t)
	a.authorization = must(armauthorization.NewClientFactory(a.Subscription, admin, o))(t)
	a.registry = registryName(t)
	a.login = a.CreateRegistry(a.registry)
	return a
}

// registryName makes the name of a registry of the last part of a test's.
func registryName(t *testing.T) string {
	name := t.Name()[strings.LastIndexByte(t.Name(), '/')+1:]
	return strings.ToLower(strings.ReplaceAll(name, "_", "")) + "registry"
}

// scope is the id of the test's registry.
func (a *sdk) scope() string {
	return "subscriptions/" + a.Subscription + "/resourceGroups/" + serve.Group + "/providers/Microsoft.ContainerRegistry/registries/" + a.registry
}

// must returns a value, unless it came with an error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
