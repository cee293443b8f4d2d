package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
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
		if !d.isOwnName(r.Host) {
			http.Error(w, fmt.Sprintf("metrics are not to be had by the name %q: ask by an address, localhost, or a host below %s", r.Host, d.names.domain),
				http.StatusMisdirectedRequest)
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

// isOwnName reports whether a host is one by which this server is meant. Another
// name may be that of a web page, which has made it resolve to here so that a
// browser in a network that may read takes this server for the page's own.
func (d *daemon) isOwnName(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	own := []string{"localhost", d.names.domain}
	if machine, err := os.Hostname(); err == nil {
		own = append(own, strings.ToLower(machine))
	}
	if d.config.PublicURL != nil {
		own = append(own, strings.ToLower(d.config.PublicURL.Hostname()))
	}
	_, _, _, known := d.names.find(host)
	return known || slices.Contains(own, name) || strings.HasSuffix(name, "."+d.names.domain)
}
