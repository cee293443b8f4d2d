package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"
)

// health is what probes are told.
type health struct{ ready atomic.Bool }

// readyWithin is how long the database may take to answer a probe.
const readyWithin = 2 * time.Second

// ownHandler serves what is for operators, on all hosts that are nobody else's.
func (d *daemon) ownHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", d.readyz)
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !d.mayReadMetrics(r) {
			http.Error(w, "metrics are for the networks of the setting metrics-from", http.StatusForbidden)
			return
		}
		d.metrics.handler.ServeHTTP(w, r)
	})
	mux.HandleFunc(hooksPath, d.hooksByAddress)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprintf("Drydock serves no host %q. Its hosts are management, login and REGISTRY.azurecr, below %s.", r.Host, d.names.domain),
			http.StatusMisdirectedRequest)
	})
	return mux
}

// readyz says whether the server takes work.
func (d *daemon) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyWithin)
	defer cancel()
	if !d.health.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	if _, err := d.store.Setting(ctx, "auth/tenant"); err != nil {
		d.log.ErrorContext(ctx, "the database does not answer", "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (d *daemon) mayReadMetrics(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, network := range d.config.MetricsFrom {
		if network.Contains(addr.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
