package main

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/drydockhq/drydock/internal/dispatch"
)

// hooksPath is where others tell the resource manager's host of changes: git
// hosts and registries. What is below it checks its callers itself.
const hooksPath = "/hooks/"

// openTriggers opens what starts runs by itself.
func (d *daemon) openTriggers(context.Context) error {
	d.hooks = http.NewServeMux()
	d.openUpstream()
	d.openBaseImages()
	d.openSources()
	return nil
}

// follow lets a consumer read the events while the daemon serves, and returns it
// to be completed.
func (d *daemon) follow(name string, handle dispatch.Handler) *dispatch.Consumer {
	c := &dispatch.Consumer{
		Name: name, Events: d.store, Store: d.store, Handle: handle,
		Created: d.queue.Enlist, Log: d.log,
	}
	d.alongside(func(ctx context.Context) {
		if err := c.Run(ctx); err != nil {
			d.log.ErrorContext(ctx, "following the events", "consumer", name, "error", err)
		}
	})
	return c
}

// alongside adds something that goes on while the daemon serves, until its
// context ends.
func (d *daemon) alongside(f func(ctx context.Context)) { d.loops = append(d.loops, f) }

// hooksByAddress serves the hooks to those who call the server by none of its
// names: by its public URL, or from this machine. In plain text only they may.
func (d *daemon) hooksByAddress(w http.ResponseWriter, r *http.Request) {
	public := d.config.PublicURL != nil && strings.EqualFold(r.Host, d.config.PublicURL.Host)
	if r.TLS == nil && !public && !fromThisMachine(r) {
		http.Error(w, "this host speaks HTTPS only", http.StatusForbidden)
		return
	}
	d.hooks.ServeHTTP(w, r)
}

// fromThisMachine reports whether a request comes from the machine that it goes
// to.
func fromThisMachine(r *http.Request) bool {
	if fromLoopback(r) {
		return true
	}
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if err != nil || local == nil {
		return false
	}
	own, err := netip.ParseAddrPort(local.String())
	return err == nil && own.Addr().Unmap() == remote.Addr().Unmap()
}

// withHooks serves the hooks beside the resource manager.
func (d *daemon) withHooks(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(hooksPath, d.hooks)
	mux.Handle("/", next)
	return mux
}
