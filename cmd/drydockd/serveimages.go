package main

import (
	"context"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/githost"
)

// openBaseImages opens what rebuilds images when their base images change.
func (d *daemon) openBaseImages() {
	due, changed := newWaker(), newWaker()
	follower := &baseimage.Follower{
		Store: d.store, Tasks: d.arm, Hosts: registryHostNames{d}, Doubt: d.lookAgain,
		Changed: func() {
			due.send()
			changed.send()
			d.upstream.Sync()
		},
	}
	evaluator := &baseimage.Evaluator{
		Store: d.tellingStore(), Tasks: d.arm, Created: d.queue.Enlist, Log: d.log, NewID: uuid.NewString, Changed: due,
		Manifests: manifestReader{d},
	}
	armer := &baseimage.Armer{
		Store: d.store, Tasks: d.arm, Hosts: registryHostNames{d}, Survey: d.worker.Agent, SourceHost: githost.HostName, Log: d.log, Now: d.now, Changed: changed,
		Armed: func() {
			due.send()
			d.upstream.Sync()
		},
	}
	d.follow("base-images", follower.Handle).Handled = follower.Handled
	d.alongside(evaluator.Run)
	d.alongside(armer.Run)
}

// waker wakes somebody who has work to look for, once for all that came while
// nobody looked.
type waker chan struct{}

func newWaker() waker { return make(waker, 1) }

func (w waker) send() {
	select {
	case w <- struct{}{}:
	default:
	}
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
