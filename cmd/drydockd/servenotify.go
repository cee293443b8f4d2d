package main

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"

	"github.com/drydockhq/drydock/internal/notify"
)

// outbox takes the messages that are sent to others.
func (d *daemon) outbox() *notify.Outbox {
	return &notify.Outbox{Store: d.store, Sealer: d.sealer, Now: d.now}
}

// openNotify opens what tells others of what happens.
func (d *daemon) openNotify(context.Context) error {
	var trust *tls.Config
	if c := (&engineOptions{cas: d.config.CAs}).httpClient(); c != nil {
		trust = c.Transport.(*http.Transport).TLSClientConfig
	}
	follower := &notify.Follower{Webhooks: d.arm, Runs: d.store, Outbox: d.outbox(), LoginServer: d.loginServer}
	d.follow("webhooks", follower.Handle)
	d.alongside((&notify.Sender{
		Store: d.store, Sealer: d.sealer, Targets: d.arm, Now: d.now, Log: d.log, Random: rand.Float64,
		HTTP: notify.NewClient(notify.ClientOptions{TLS: trust, Proxy: http.ProxyFromEnvironment, Deny: d.config.WebhooksDeny}),
	}).Run)
	return nil
}
