package main

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net/http"
	"net/url"

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
		HTTP: notify.NewClient(notify.ClientOptions{TLS: trust, Proxy: http.ProxyFromEnvironment, Reach: d.reach()}),
	}).Run)
	return nil
}

// reach says what may be told of something: not this server itself.
func (d *daemon) reach() notify.Reach {
	return notify.Reach{Allow: d.config.WebhooksAllow, Deny: d.config.WebhooksDeny, Self: d.self()}
}

// refusedReceiver says what the host of a URL is that nothing may be told; see
// arm.Config.
func (d *daemon) refusedReceiver(u *url.URL) string {
	reach := d.reach()
	return reach.Refusal(u)
}
