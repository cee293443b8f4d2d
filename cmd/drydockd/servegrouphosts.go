package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/hostsfile"
)

const containerGroupType = "Microsoft.ContainerInstance/containerGroups"

// groupHosts returns what answers in the network of a container group: the same as
// in that of a run. Only groups that have identities are told of the endpoint.
func (d *daemon) groupHosts(ctx context.Context, g drydock.ContainerGroup) (*drydock.RunHosts, error) {
	r, err := d.store.Resource(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	identities, err := d.arm.Identities(ctx, g.ID)
	if err != nil {
		return nil, err
	}
	key := drydock.RunKey{Group: r.ID, Created: r.Created}
	hosts := d.hostsOf(key, r.Location)
	if !identities.Empty() {
		hosts.Env = append(d.managed.Environment(key, metadataURL), hosts.Env...)
	}
	return hosts, nil
}

// hostsOf returns what answers in the network of a run or a group at a location.
func (d *daemon) hostsOf(key drydock.RunKey, location string) *drydock.RunHosts {
	return &drydock.RunHosts{
		Has: d.answersRuns, Address: d.groupAddress, Port: d.names.port,
		Secure:   func(c net.Conn) { d.web.takeSecure(&runConn{c, key}) },
		Metadata: func(c net.Conn) { d.web.takePlain(&runConn{c, key}) },
		Env:      []string{"AZURE_CLOUD_NAME=" + drydock.AzureCloudAt(location).Name},
		CAs:      d.ownPEM,
	}
}

// groupLogin signs a container group in to a registry as one of its identities.
func (d *daemon) groupLogin(ctx context.Context, group drydock.ResourceID, login drydock.GroupLogin) (drydock.Credential, error) {
	return d.keyring.GroupLogin(ctx, group, login.Identity, login.Registry)
}

// groupCreated returns when a container group was made, for tokens that are bound to
// it.
func (d *daemon) groupCreated(ctx context.Context, id drydock.ResourceID) (time.Time, error) {
	r, err := d.store.Resource(ctx, id)
	if err != nil {
		return time.Time{}, err
	}
	going, err := arm.Deleting(r)
	if err == nil && going {
		err = drydock.Errorf(drydock.NotFound, "the container group %s is being deleted", id.Name())
	}
	return r.Created, err
}

// groupAddress returns the address of the container group that has a host name.
func (d *daemon) groupAddress(name string) (netip.Addr, bool) {
	if !strings.HasSuffix(name, "."+instanceHosts+"."+d.names.domain) {
		return netip.Addr{}, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupWithin)
	defer cancel()
	hosts, err := d.groupNames(ctx)
	if err != nil {
		d.log.WarnContext(ctx, "finding the address of a container group", "host", name, "error", err)
	}
	for _, h := range hosts {
		if h.Name == name {
			return h.Address, true
		}
	}
	return netip.Addr{}, false
}

// groupNames returns the host names of container groups, of those that have an
// address at the moment.
func (d *daemon) groupNames(ctx context.Context) ([]hostsfile.Host, error) {
	found, err := d.store.Resources(ctx, drydock.ResourceFilter{Below: drydock.ResourceID{Subscription: d.subscription}, Type: containerGroupType})
	if err != nil {
		return nil, err
	}
	var hosts []hostsfile.Host
	for _, r := range found {
		name := d.arm.ContainerGroupHost(r)
		if address := d.instances.View(r.ID).Address; name != "" && address.IsValid() {
			hosts = append(hosts, hostsfile.Host{Name: name, Address: address})
		}
	}
	return hosts, nil
}
