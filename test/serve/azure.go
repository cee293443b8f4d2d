package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerregistry/armcontainerregistry"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// Azure is the Azure SDK on a server, as the admin.
type Azure struct {
	Server       *Server
	Subscription string
	Groups       *armresources.ResourceGroupsClient
	Registries   *armcontainerregistry.RegistriesClient
	Runs         *armcontainerregistry.RunsClient
	Tasks        *armcontainerregistry.TasksClient
	// Patience is how long WaitLog waits for the end of a run; 0 for 3 minutes.
	Patience time.Duration
}

// Group is the resource group that Azure's methods use.
const Group = "tests"

// Azure returns the SDK's clients for the server.
func (s *Server) Azure() *Azure {
	s.t.Helper()
	a := &Azure{Server: s, Subscription: s.subscription()}
	groups, err := armresources.NewClientFactory(a.Subscription, s.Admin(), s.ARM())
	if err != nil {
		s.t.Fatal(err)
	}
	a.Groups = groups.NewResourceGroupsClient()
	registries, err := armcontainerregistry.NewClientFactory(a.Subscription, s.Admin(), s.ARM())
	if err != nil {
		s.t.Fatal(err)
	}
	a.Registries, a.Runs, a.Tasks = registries.NewRegistriesClient(), registries.NewRunsClient(), registries.NewTasksClient()
	return a
}

// RawRun returns a run as the server says it, with what is not Azure's.
func (a *Azure) RawRun(registry, id string) string {
	a.Server.t.Helper()
	return a.Get("/registries/" + registry + "/runs/" + id)
}

// subscription asks the server for its subscription.
func (s *Server) subscription() string {
	s.t.Helper()
	status, text := s.send(http.MethodGet, "/subscriptions", "")
	var list struct {
		Value []struct{ SubscriptionID string }
	}
	if err := json.Unmarshal([]byte(text), &list); status != http.StatusOK || err != nil || len(list.Value) != 1 {
		s.t.Fatal("listing the subscriptions: ", status, err, text)
	}
	return list.Value[0].SubscriptionID
}

// CreateRegistry makes the group and a registry in it, and returns its login
// server.
func (a *Azure) CreateRegistry(name string) string {
	t := a.Server.t
	t.Helper()
	if _, err := a.Groups.CreateOrUpdate(t.Context(), Group, armresources.ResourceGroup{Location: to.Ptr("here")}, nil); err != nil {
		t.Fatal(err)
	}
	poller, err := a.Registries.BeginCreate(t.Context(), Group, name, armcontainerregistry.Registry{
		Location: to.Ptr("here"), SKU: &armcontainerregistry.SKU{Name: to.Ptr(armcontainerregistry.SKUNameBasic)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := poller.PollUntilDone(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return *made.Properties.LoginServer
}

// Post sends a request to the resource manager: its path is below the provider
// of registries in Group.
func (a *Azure) Post(path, body string) (status int, answer string) {
	a.Server.t.Helper()
	return a.Server.send(http.MethodPost, a.provider()+path, body)
}

// Get is Post for GET, which has to succeed.
func (a *Azure) Get(path string) (answer string) {
	t := a.Server.t
	t.Helper()
	status, answer := a.Server.send(http.MethodGet, a.provider()+path, "")
	if status != http.StatusOK {
		t.Fatal("asking for ", path, ": ", status, answer)
	}
	return answer
}

// Put is Post for PUT.
func (a *Azure) Put(path, body string) (status int, answer string) {
	a.Server.t.Helper()
	return a.Server.send(http.MethodPut, a.provider()+path, body)
}

// Delete is Post for DELETE, without a body.
func (a *Azure) Delete(path string) (status int, answer string) {
	a.Server.t.Helper()
	return a.Server.send(http.MethodDelete, a.provider()+path, "")
}

// provider is the path of the provider of registries in Group.
func (a *Azure) provider() string {
	return "/subscriptions/" + a.Subscription + "/resourceGroups/" + Group + "/providers/Microsoft.ContainerRegistry"
}

// send sends a request to the resource manager as the admin.
func (s *Server) send(method, path, body string) (status int, answer string) {
	s.t.Helper()
	token, err := s.Admin().GetToken(s.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + s.Host("management") + "/.default"}})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, "https://"+s.Host("management")+path+"?api-version=2023-07-01", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := s.HTTP().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Rerun repeats a run and returns the id of the new one.
func (a *Azure) Rerun(registry, id string) string {
	t := a.Server.t
	t.Helper()
	status, body := a.Post("/registries/"+registry+"/runs/"+id+"/rerun", "")
	var run struct{ Name string }
	if err := json.Unmarshal([]byte(body), &run); status != http.StatusOK || err != nil {
		t.Fatal("repeating a run: ", status, err, body)
	}
	return run.Name
}

// TriggerHook returns the URL at which registries elsewhere tell a registry of
// pushes, and the secret for that.
func (a *Azure) TriggerHook(registry string) (url, secret string) {
	t := a.Server.t
	t.Helper()
	status, body := a.Post("/registries/"+registry+"/listTriggerHook", "")
	var hook struct{ URL, Secret string }
	if err := json.Unmarshal([]byte(body), &hook); status != http.StatusOK || err != nil || hook.Secret == "" {
		t.Fatal("asking for the hook: ", status, err, body)
	}
	return hook.URL, hook.Secret
}
