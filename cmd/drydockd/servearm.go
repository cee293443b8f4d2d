package main

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/baseimage"
)

func (d *daemon) openARM(context.Context) error {
	d.arm = arm.New(arm.Config{
		Resources: d.store, Runs: d.store, Events: d.store, Principals: d.store, Roles: d.store, Transactor: d.store,
		Authority: d.authority, Sealer: d.sealer, Queue: &runQueue{d}, Blobs: d.blobs,
		Importer: importer{d}, Usage: d.usage(), Instances: d.instances,
		InstanceDomain: instanceHosts + "." + d.names.domain,
		Outbox:         d.outbox(), Images: d.store, ImagesViewer: baseimage.Viewer{Store: d.store}, Polls: d.store, Sources: d.store,
		AdminUsers: &auth.AdminUsers{Resources: d.store, Sealer: d.sealer},
		Tokens:     d.scopedTokens(),
		Vaults:     d.store, VaultDomain: d.names.cloud().Vaults, ElsewhereVault: d.isStoredElsewhere, Audit: d.store,
		Subscription: d.subscription, SubscriptionName: "Drydock",
		RegistryDomain: d.names.host(registryHosts), RegistryHooks: d.registryHooks(),
		Platforms: []string{"linux/" + runtime.GOARCH},
		OnCreate:  d.created, RefusedReceiver: d.refusedReceiver,
		OnDelete: []arm.Hook{d.deletingInstance, d.deleting}, Linger: linger,
		Log: d.log, Now: d.now, NewID: uuid.NewString,
	})
	d.closing(func() error { d.arm.Close(); return nil })
	return nil
}

// poolLingers is for how long a deleted agent pool can be seen, which the Azure CLI
// does right after the answer.
const poolLingers = 3 * time.Second

func linger(ctx context.Context) error {
	timer := time.NewTimer(poolLingers)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// withMetadata describes the server to clients that know its address only, by the
// names of the cloud that they asked.
func (d *daemon) withMetadata(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := drydock.CloudOf(r.Context(), d.names.cloud())
		arm.WithMetadata(arm.Cloud{
			Name: c.Name, Management: c.URL(drydock.ManagementHost, ""), Login: c.URL(drydock.LoginHost, ""),
			Graph: c.URL(drydock.GraphHost, ""), Tenant: d.authority.Tenant(),
			RegistryDomain: c.Registries, VaultDomain: c.Vaults, StorageDomain: strings.TrimPrefix(c.Blobs, blobHosts+"."),
		}, next).ServeHTTP(w, r)
	})
}
