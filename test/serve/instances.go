package serve

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"
)

// Instances is the Azure SDK for container groups on a server, as the admin.
type Instances struct {
	Azure      *Azure
	Groups     *armcontainerinstance.ContainerGroupsClient
	Containers *armcontainerinstance.ContainersClient
}

// Instances returns the SDK's clients for container groups. It makes the
// resource group if it is not there.
func (a *Azure) Instances() *Instances {
	t := a.Server.t
	t.Helper()
	if there, err := a.Groups.CheckExistence(t.Context(), Group, nil); err != nil || !there.Success {
		if _, err := a.Groups.CreateOrUpdate(t.Context(), Group, armresources.ResourceGroup{Location: to.Ptr("here")}, nil); err != nil {
			t.Fatal(err)
		}
	}
	f, err := armcontainerinstance.NewClientFactory(a.Subscription, a.Server.Admin(), a.Server.ARM())
	if err != nil {
		t.Fatal(err)
	}
	return &Instances{Azure: a, Groups: f.NewContainerGroupsClient(), Containers: f.NewContainersClient()}
}

// Definition returns a public group of one container that serves port 80, with
// the admin's credentials for the server's registries.
func (i *Instances) Definition(image string) armcontainerinstance.ContainerGroup {
	s := i.Azure.Server
	return armcontainerinstance.ContainerGroup{
		Location: to.Ptr("here"),
		Properties: &armcontainerinstance.ContainerGroupPropertiesProperties{
			OSType: to.Ptr(armcontainerinstance.OperatingSystemTypesLinux),
			Containers: []*armcontainerinstance.Container{{
				Name: to.Ptr("web"),
				Properties: &armcontainerinstance.ContainerProperties{
					Image:     to.Ptr(image),
					Ports:     []*armcontainerinstance.ContainerPort{{Port: to.Ptr[int32](80)}},
					Resources: &armcontainerinstance.ResourceRequirements{Requests: &armcontainerinstance.ResourceRequests{CPU: to.Ptr(1.0), MemoryInGB: to.Ptr(0.5)}},
				},
			}},
			IPAddress: &armcontainerinstance.IPAddress{
				Type:  to.Ptr(armcontainerinstance.ContainerGroupIPAddressTypePublic),
				Ports: []*armcontainerinstance.Port{{Port: to.Ptr[int32](80)}},
			},
			ImageRegistryCredentials: []*armcontainerinstance.ImageRegistryCredential{{
				Server: to.Ptr(s.LoginServer("contoso")), Username: to.Ptr(s.ClientID), Password: to.Ptr(s.Secret),
			}},
		},
	}
}

// Create creates or replaces a group and waits until it is provisioned.
func (i *Instances) Create(name string, g armcontainerinstance.ContainerGroup) (armcontainerinstance.ContainerGroup, error) {
	ctx, cancel := context.WithTimeout(i.Azure.Server.t.Context(), 2*time.Minute)
	defer cancel()
	poller, err := i.Groups.BeginCreateOrUpdate(ctx, Group, name, g, nil)
	if err != nil {
		return armcontainerinstance.ContainerGroup{}, err
	}
	made, err := poller.PollUntilDone(ctx, nil)
	return made.ContainerGroup, err
}

// MustCreate is Create for groups that have to come up. It returns the address.
func (i *Instances) MustCreate(name string, g armcontainerinstance.ContainerGroup) (address string) {
	t := i.Azure.Server.t
	t.Helper()
	made, err := i.Create(name, g)
	if err != nil {
		t.Fatal("creating a container group: ", err, "\n", i.Azure.Server.Log())
	}
	if made.Properties.IPAddress == nil || made.Properties.IPAddress.IP == nil {
		return ""
	}
	return *made.Properties.IPAddress.IP
}

// Show returns a group as it stands.
func (i *Instances) Show(name string) armcontainerinstance.ContainerGroup {
	t := i.Azure.Server.t
	t.Helper()
	g, err := i.Groups.Get(t.Context(), Group, name, nil)
	if err != nil {
		t.Fatal("showing a container group: ", err)
	}
	return g.ContainerGroup
}

// Logs returns what a container wrote.
func (i *Instances) Logs(group, container string) string {
	t := i.Azure.Server.t
	t.Helper()
	logs, err := i.Containers.ListLogs(t.Context(), Group, group, container, nil)
	if err != nil {
		t.Fatal("reading the output of a container: ", err)
	}
	return *logs.Content
}

// Until asks for a group until it is as wanted, for a minute at the most.
func (i *Instances) Until(name, what string, is func(armcontainerinstance.ContainerGroup) bool) armcontainerinstance.ContainerGroup {
	t := i.Azure.Server.t
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		g := i.Show(name)
		if is(g) {
			return g
		}
		if time.Now().After(deadline) {
			text, _ := json.MarshalIndent(g, "", " ")
			t.Fatal("the container group ", name, " is not ", what, ": ", string(text))
		}
	}
}

// UntilLog waits until a container has written a text.
func (i *Instances) UntilLog(group, container, text string) {
	t := i.Azure.Server.t
	t.Helper()
	i.Until(group, "one that wrote "+text, func(armcontainerinstance.ContainerGroup) bool {
		return strings.Contains(i.Logs(group, container), text)
	})
}

// Page asks for the page of an address once, on a new connection.
func Page(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(address, "80")+"/", nil)
	if err != nil {
		return "", err
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
