package main

import (
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
)

// hostNames are the hosts of a server.
type hostNames struct {
	domain string
	port   int // in URLs
}

// The hosts and the kinds of host below the domain.
const (
	managementHost = "management"
	loginHost      = "login"
	graphHost      = "graph"
	registryHosts  = "azurecr"
	vaultHosts     = "vault"
	blobHosts      = "blob"
	// blobAccount is the account that all blobs of the server are in.
	blobAccount = "drydock"
)

// host returns a host below the domain, with the port unless that is HTTPS's.
func (h hostNames) host(name string) string {
	host := name + "." + h.domain
	if h.port != 443 {
		host = net.JoinHostPort(host, strconv.Itoa(h.port))
	}
	return host
}

func (h hostNames) url(name string) string { return "https://" + h.host(name) }

// loginServer returns the host of a registry.
func (h hostNames) loginServer(registry string) string {
	return h.host(strings.ToLower(registry) + "." + registryHosts)
}

// storageDomain returns what follows "{account}.blob." in the hosts of blobs.
func (h hostNames) storageDomain() string {
	return strings.TrimPrefix(h.host(blobHosts), blobHosts+".")
}

// isRegistry reports whether a host, with its port unless that is HTTPS's, is
// one of the server's registries.
func (h hostNames) isRegistry(host string) bool {
	_, ok := h.registryName(host)
	return ok
}

// registryName returns the name of the registry that has a host, and false for
// the host of something else.
func (h hostNames) registryName(host string) (string, bool) {
	name, ok := strings.CutSuffix(strings.ToLower(host), "."+h.host(registryHosts))
	return name, ok && name != "" && !strings.Contains(name, ".")
}

// kind returns what sort of host a request is for: "management", "login",
// "graph", "azurecr", "vault", "blob", or "" for none of them. The port does not matter:
// the server may be reached through others.
func (h hostNames) kind(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	name, ok := strings.CutSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), "."+h.domain)
	if !ok {
		return ""
	}
	switch name {
	case managementHost, loginHost, graphHost:
		return name
	}
	label, kind, ok := strings.Cut(name, ".")
	if ok && label != "" && (kind == registryHosts || kind == vaultHosts || kind == blobHosts) {
		return kind
	}
	return ""
}

// hostRouter sends requests to the services by their hosts.
type hostRouter struct {
	names    hostNames
	services map[string]http.Handler // by kind of host
	own      http.Handler            // for everything else: health and metrics
	log      *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *hostRouter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recover(r)
	kind := h.names.kind(r.Host)
	service := h.services[kind]
	switch {
	case isProbe(r.URL.Path) && kind != registryHosts && kind != blobHosts:
		h.own.ServeHTTP(w, r)
	case service == nil:
		h.own.ServeHTTP(w, r)
	case r.TLS == nil && (kind != registryHosts || !fromLoopback(r)):
		http.Error(w, "this host speaks HTTPS only", http.StatusForbidden)
	default:
		service.ServeHTTP(w, r)
	}
}

// recover logs a panic, which ends the connection and nothing else.
func (h *hostRouter) recover(r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if p != http.ErrAbortHandler { // it is panicked with as it is
		h.log.ErrorContext(r.Context(), "a request panicked", "host", r.Host, "method", r.Method, "path", r.URL.Path,
			"panic", p, "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

func isProbe(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}

// fromLoopback reports whether a request comes from this machine.
func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}
