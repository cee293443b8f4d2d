package main

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock/internal/graph"
)

// graphHandler returns the handler of the host that clients look service
// principals up on.
func (d *daemon) graphHandler() http.Handler {
	return graph.New(graph.Config{
		Authority: d.authority, Directory: d.directory, Secrets: d.directory, Principals: d.store, Roles: d.store,
		People: d.directory, Logins: d.store, Groups: d.directory, Issuer: d.config.OIDC.Issuer,
		Subscription: d.subscription, Log: d.log, Now: d.now, NewID: uuid.NewString,
	})
}
