package compat_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	aci "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerinstance/armcontainerinstance/v2"
	"github.com/coder/websocket"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/serve"
)

// instances runs a container group through all that the SDK can do with one.
func instances(t *testing.T, a *sdk) {
	const name = "instances-page"
	ctx := t.Context()
	f := must(aci.NewClientFactory(a.Subscription, a.Server.Admin(), a.site.options(t)))(t)
	groups, containers := f.NewContainerGroupsClient(), f.NewContainersClient()
	made := poll(groups.BeginCreateOrUpdate(ctx, serve.Group, name, definition(), nil))(t)
	if *made.Properties.ProvisioningState != "Succeeded" || *made.Properties.InstanceView.State != "Running" {
		t.Errorf("made %+v", made.Properties)
	}
	if v := made.Properties.Containers[0].Properties.EnvironmentVariables; len(v) != 2 || v[1].SecureValue != nil || *v[0].Value != "open" {
		t.Errorf("the variables are shown as %+v", v)
	}
	must(groups.Update(ctx, serve.Group, name, aci.Resource{Tags: map[string]*string{"a": to.Ptr("b")}}, nil))(t)
	if got := must(groups.Get(ctx, serve.Group, name, nil))(t); *got.Tags["a"] != "b" {
		t.Errorf("the tags are %v", got.Tags)
	}
	isIt := func(g *aci.ContainerGroup) bool { return strings.EqualFold(*g.ID, *made.ID) }
	if !has(all(t, groups.NewListPager(nil), func(p aci.ContainerGroupsClientListResponse) []*aci.ContainerGroup { return p.Value }), isIt) {
		t.Error("it is not in the list of the subscription")
	}
	if !has(all(t, groups.NewListByResourceGroupPager(serve.Group, nil), func(p aci.ContainerGroupsClientListByResourceGroupResponse) []*aci.ContainerGroup { return p.Value }), isIt) {
		t.Error("it is not in the list of the group")
	}
	logged := func() string {
		return *must(containers.ListLogs(ctx, serve.Group, name, "shell", &aci.ContainersClientListLogsOptions{Tail: to.Ptr[int32](10)}))(t).Content
	}
	for deadline := time.Now().Add(time.Minute); !strings.Contains(logged(), "open and hidden"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the container wrote %q", logged())
		}
	}
	command := must(containers.ExecuteCommand(ctx, serve.Group, name, "shell", aci.ContainerExecRequest{
		Command: to.Ptr("/bin/echo typed"), TerminalSize: &aci.ContainerExecRequestTerminalSize{Rows: to.Ptr[int32](24), Cols: to.Ptr[int32](80)},
	}, nil))(t)
	if said := a.console(t, *command.WebSocketURI, *command.Password, "typed"); !strings.Contains(said, "typed") {
		t.Errorf("the command said %q", said)
	}
	attached := must(containers.Attach(ctx, serve.Group, name, "shell", nil))(t)
	if said := a.console(t, *attached.WebSocketURI, *attached.Password, "open and hidden"); !strings.Contains(said, "open and hidden") {
		t.Errorf("attached: %q", said)
	}
	poll(groups.BeginRestart(ctx, serve.Group, name, nil))(t)
	must(groups.Stop(ctx, serve.Group, name, nil))(t)
	if got := must(groups.Get(ctx, serve.Group, name, nil))(t); *got.Properties.InstanceView.State != "Stopped" {
		t.Errorf("stopped, it is %s", *got.Properties.InstanceView.State)
	}
	poll(groups.BeginStart(ctx, serve.Group, name, nil))(t)
	poll(groups.BeginDelete(ctx, serve.Group, name, nil))(t)
	if _, err := groups.Get(ctx, serve.Group, name, nil); statusOf(err) != 404 {
		t.Error("it is there after it was deleted: ", err)
	}
}

// definition is a group without an address whose container says its variables.
func definition() aci.ContainerGroup {
	return aci.ContainerGroup{Location: to.Ptr("here"), Properties: &aci.ContainerGroupPropertiesProperties{
		OSType: to.Ptr(aci.OperatingSystemTypesLinux),
		Containers: []*aci.Container{{Name: to.Ptr("shell"), Properties: &aci.ContainerProperties{
			Image:   to.Ptr(images.Busybox),
			Command: []*string{to.Ptr("/bin/sh"), to.Ptr("-c"), to.Ptr("trap 'exit 0' TERM; echo $A and $B; while true; do sleep 1; done")},
			EnvironmentVariables: []*aci.EnvironmentVariable{
				{Name: to.Ptr("A"), Value: to.Ptr("open")}, {Name: to.Ptr("B"), SecureValue: to.Ptr("hidden")},
			},
			Resources: &aci.ResourceRequirements{Requests: &aci.ResourceRequests{CPU: to.Ptr(0.5), MemoryInGB: to.Ptr(0.1)}},
		}}},
	}}
}

// console opens a console as the Azure CLI does, the password first, and returns
// what comes until it ends or a text has come.
func (a *sdk) console(t *testing.T, uri, password, until string) string {
	t.Helper()
	socket, _, err := websocket.Dial(t.Context(), uri, &websocket.DialOptions{HTTPClient: a.Server.HTTP()})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	if err := socket.Write(t.Context(), websocket.MessageText, []byte(password)); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for !strings.Contains(said.String(), until) {
		_, reader, err := socket.Reader(t.Context())
		if err != nil {
			return said.String()
		}
		if _, err := io.Copy(&said, reader); err != nil {
			t.Fatal(err)
		}
	}
	if _, again, err := websocket.Dial(t.Context(), uri, &websocket.DialOptions{HTTPClient: a.Server.HTTP()}); err == nil || again == nil || again.StatusCode != http.StatusNotFound {
		t.Errorf("opened again: %v", err)
	}
	return said.String()
}
