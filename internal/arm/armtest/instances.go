package armtest

import (
	"context"
	"net/netip"
	"sync"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
)

// Instances runs no containers, and says that all groups do.
type Instances struct {
	mu     sync.Mutex
	Synced []drydock.ResourceID
	// Checking, if it isn't nil, is called by each Check.
	Checking func()
	Broken   map[string]error // of Check, by image
	Slow     bool             // says of groups that they are being made, for ever
	// Source knows the groups; it is set when the server is.
	Source *arm.Server
}

var _ arm.Instances = (*Instances)(nil)

// Check implements arm.Instances.
func (i *Instances) Check(_ context.Context, g drydock.ContainerGroup) (map[string]string, error) {
	if i.Checking != nil {
		i.Checking()
	}
	digests := map[string]string{}
	for _, c := range append(append([]drydock.GroupContainer{}, g.Init...), g.Containers...) {
		if err := i.Broken[c.Image]; err != nil {
			return nil, err
		}
		digests[c.Image] = "sha256:" + c.Image
	}
	return digests, nil
}

// Sync implements arm.Instances.
func (i *Instances) Sync(id drydock.ResourceID) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.Synced = append(i.Synced, id)
}

// Await implements arm.Instances.
func (*Instances) Await(context.Context, drydock.ResourceID, string, bool) {}

// View implements arm.Instances.
func (i *Instances) View(id drydock.ResourceID) drydock.ContainerGroupView {
	g, err := i.Source.ContainerGroup(context.Background(), id)
	if err != nil {
		return drydock.ContainerGroupView{Provisioning: drydock.GroupFailed, Problem: err.Error()}
	}
	v := drydock.ContainerGroupView{Generation: g.Generation, Provisioning: drydock.GroupSucceeded, State: drydock.GroupRunning}
	if i.Slow {
		v.Provisioning = drydock.GroupCreating
	}
	if g.Stopped {
		v.State = drydock.GroupStopped
	}
	if g.Public {
		v.Address = netip.MustParseAddr("192.0.2.1")
	}
	for _, c := range g.Containers {
		v.Containers = append(v.Containers, drydock.ContainerView{Name: c.Name, Current: drydock.ContainerState{State: drydock.ContainerRunning}})
	}
	return v
}

// Logs implements arm.Instances.
func (*Instances) Logs(_ drydock.ResourceID, container string, _ int, _ bool) (string, error) {
	return "output of " + container + "\n", nil
}

// Console implements arm.Instances.
func (*Instances) Console(r drydock.ConsoleRequest) (drydock.Console, error) {
	return drydock.Console{Path: "/consoles/" + r.Container, Password: "secret"}, nil
}
