package main

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/instance"
)

const (
	instancesFolder = "instances"
	// instanceHosts is in the hosts of container groups: LABEL.LOCATION.azurecontainer.DOMAIN.
	instanceHosts = "azurecontainer"
)

// openInstances opens what runs container groups. They are started when the
// server serves: their images may be in its own registries.
func (d *daemon) openInstances(context.Context) error {
	d.instances = instance.New(instance.Config{
		Engine: d.executor.Instances(), Source: groupSource{d}, States: d.store, Folder: d.path(instancesFolder),
		Hosts: d.groupHosts, Login: d.groupLogin, Log: d.log, Now: d.now, NewID: uuid.NewString,
	})
	d.closing(func() error { d.instances.Close(); return nil })
	d.alongside(func(ctx context.Context) {
		if err := d.instances.Start(ctx); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "starting the container groups", "error", err)
		}
	})
	return nil
}

// groupSource is the resource manager as the instances want it, which is opened
// after them.
type groupSource struct{ *daemon }

var _ instance.Source = groupSource{}

// ContainerGroup implements instance.Source.
func (s groupSource) ContainerGroup(ctx context.Context, id drydock.ResourceID) (drydock.ContainerGroup, error) {
	return s.arm.ContainerGroup(ctx, id)
}

// ContainerGroups implements instance.Source.
func (s groupSource) ContainerGroups(ctx context.Context) ([]drydock.ResourceID, error) {
	return s.arm.ContainerGroups(ctx)
}

// withConsoles answers for the consoles of containers, whose passwords are in
// the place of tokens.
func (d *daemon) withConsoles(next http.Handler) http.Handler { return d.instances.WithConsoles(next) }

// deletingInstance ends a container group that is deleted.
func (d *daemon) deletingInstance(ctx context.Context, r drydock.Resource) error {
	if !arm.IsContainerGroup(r.ID) {
		return nil
	}
	return d.instances.Remove(ctx, r.ID)
}
