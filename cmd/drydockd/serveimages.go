package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
)

// openBaseImages opens what rebuilds images when their base images change.
func (d *daemon) openBaseImages() {
	changed := make(chan struct{}, 1)
	follower := &baseimage.Follower{
		Store: d.store, Tasks: d.arm, Hosts: registryHostNames{d}, Doubt: d.lookAgain,
		Changed: func() {
			d.upstream.Sync()
			select {
			case changed <- struct{}{}:
			default: // it will look anyway
			}
		},
	}
	evaluator := &baseimage.Evaluator{
		Store: d.tellingStore(), Tasks: d.arm, Created: d.queue.Enlist, Log: d.log, NewID: uuid.NewString, Changed: changed,
	}
	d.follow("base-images", follower.Handle).Handled = follower.Handled
	d.alongside(evaluator.Run)
}

// registryHostNames knows the hosts of the server's registries.
type registryHostNames struct{ *daemon }

var _ baseimage.Hosts = registryHostNames{}

// Host implements baseimage.Hosts.
func (h registryHostNames) Host(registry drydock.ResourceID) string {
	return drydock.RegistryHost(h.loginServer(registry))
}

// Registry implements baseimage.Hosts.
func (h registryHostNames) Registry(ctx context.Context, host string) (drydock.ResourceID, bool, error) {
	name, ours := h.names.registryName(host)
	if !ours {
		return drydock.ResourceID{}, false, nil
	}
	r, err := registryDirectory(h).Registry(ctx, name)
	if drydock.CodeOf(err) == drydock.NotFound {
		return drydock.ResourceID{}, false, nil
	}
	return r.ID, err == nil, err
}
