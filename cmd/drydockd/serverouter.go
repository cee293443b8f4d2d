package main

import (
	"net/http"

	"github.com/drydockhq/drydock"
)

// router returns the handler of all hosts.
func (d *daemon) router() http.Handler {
	return d.metrics.count(&hostRouter{
		names: d.names, own: d.ownHandler(), endpoint: d.runEndpoint(), log: d.log,
		services: map[drydock.HostKind]http.Handler{
			drydock.ManagementHost: d.withConsoles(d.withHooks(d.withMetadata(d.audited(d.arm)))),
			drydock.LoginHost:      d.audited(d.authority.Handler()),
			drydock.GraphHost:      d.audited(d.graphHandler()),
			drydock.RegistryKind:   d.audited(d.oci),
			drydock.BlobKind:       d.blobHandler,
			drydock.VaultKind:      d.audited(d.vaultHandler()),
		},
	})
}
