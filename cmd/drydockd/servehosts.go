package main

import (
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
)

// hostNames are the hosts of a server.
type hostNames struct {
	domain string
	port   int // in URLs
}

// The hosts and the kinds of host below the domain.
const (
	managementHost = string(drydock.ManagementHost)
	loginHost      = string(drydock.LoginHost)
	graphHost      = string(drydock.GraphHost)
	registryHosts  = string(drydock.RegistryKind)
	vaultHosts     = string(drydock.VaultKind)
	blobHosts      = string(drydock.BlobKind)
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

// registryName returns the name of the registry that has a host, and false for
// the host of something else.
func (h hostNames) registryName(host string) (string, bool) {
	name, ok := strings.CutSuffix(strings.ToLower(host), "."+h.host(registryHosts))
	return name, ok && name != "" && !strings.Contains(name, ".")
}

// cloud returns the server's own names.
func (h hostNames) cloud() drydock.Cloud {
	return drydock.Cloud{
		Name: "drydock", Management: h.host(managementHost), Login: h.host(loginHost), Graph: h.host(graphHost),
		Registries: h.host(registryHosts), Vaults: h.host(vaultHosts), Blobs: h.host(blobHosts),
	}
}

// find returns what a host is, below the server's own domain or in one of Azure's
// clouds. The port does not matter: the server may be reached through others.
func (h hostNames) find(host string) (c drydock.Cloud, kind drydock.HostKind, name string, ok bool) {
	own := h.cloud()
	if kind, name, ok := own.Find(host); ok {
		return own, kind, name, true
	}
	return drydock.AzureHost(host)
}

// kind returns what sort of host below the server's own domain this is, or "" for
// none of them.
func (h hostNames) kind(host string) drydock.HostKind {
	kind, _, _ := h.cloud().Find(host)
	return kind
}

// hostRouter sends requests to the services by their hosts.
type hostRouter struct {
	names    hostNames
	services map[drydock.HostKind]http.Handler
	own      http.Handler // for everything else: health and metrics
	endpoint http.Handler // for plain requests of runs, which are for their identities
	log      *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *hostRouter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recover(r)
	cloud, kind, _, known := h.names.find(r.Host)
	if known {
		r = r.WithContext(drydock.WithCloud(r.Context(), cloud))
	}
	service := h.services[kind]
	_, ofRun := auth.RunFrom(r.Context())
	switch {
	case ofRun && r.TLS == nil:
		h.endpoint.ServeHTTP(w, r)
	case ofRun && service == nil: // health and metrics are not for runs
		http.Error(w, "there is no such host", http.StatusNotFound)
	case ofRun:
		service.ServeHTTP(w, r)
	case isProbe(r.URL.Path) && kind != drydock.RegistryKind && kind != drydock.BlobKind:
		h.own.ServeHTTP(w, r)
	case service == nil:
		h.own.ServeHTTP(w, r)
	case r.TLS == nil && (kind != drydock.RegistryKind || !fromLoopback(r)):
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
