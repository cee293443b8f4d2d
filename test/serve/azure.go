package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

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
	return string(a.Server.get("/subscriptions/" + a.Subscription + "/resourceGroups/" + Group +
		"/providers/Microsoft.ContainerRegistry/registries/" + registry + "/runs/" + id + "?api-version=2019-06-01-preview"))
}

// subscription asks the server for its subscription.
func (s *Server) subscription() string {
	s.t.Helper()
	text := s.get("/subscriptions?api-version=2022-12-01")
	var list struct {
		Value []struct{ SubscriptionID string }
	}
	if err := json.Unmarshal(text, &list); err != nil || len(list.Value) != 1 {
		s.t.Fatal("listing the subscriptions: ", err, string(text))
	}
	return list.Value[0].SubscriptionID
}

// get asks the resource manager as the admin.
func (s *Server) get(path string) []byte {
	s.t.Helper()
	token, err := s.Admin().GetToken(s.t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + s.Host("management") + "/.default"}})
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+s.Host("management")+path, nil)
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
	if err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatal("asking for ", path, ": ", resp.Status, err, string(text))
	}
	return text
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
	t := a.Server.t
	t.Helper()
	return a.send(http.MethodPost, "/subscriptions/"+a.Subscription+"/resourceGroups/"+Group+"/providers/Microsoft.ContainerRegistry"+path, body)
}

// Put is Post for PUT.
func (a *Azure) Put(path, body string) (status int, answer string) {
	t := a.Server.t
	t.Helper()
	return a.send(http.MethodPut, "/subscriptions/"+a.Subscription+"/resourceGroups/"+Group+"/providers/Microsoft.ContainerRegistry"+path, body)
}

// Delete is Post for DELETE, without a body.
func (a *Azure) Delete(path string) (status int, answer string) {
	t := a.Server.t
	t.Helper()
	return a.send(http.MethodDelete, "/subscriptions/"+a.Subscription+"/resourceGroups/"+Group+"/providers/Microsoft.ContainerRegistry"+path, "")
}

// send sends a request to the resource manager as the admin.
func (a *Azure) send(method, path, body string) (status int, answer string) {
	t := a.Server.t
	t.Helper()
	token, err := a.Server.Admin().GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://" + a.Server.Host("management") + "/.default"}})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, "https://"+a.Server.Host("management")+path+"?api-version=2023-07-01", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	resp, err := a.Server.HTTP().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
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
