package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/oci"
)

// metadataURL is where the containers of a run reach its identity endpoint, as
// programs on Azure's machines do.
const metadataURL = "http://169.254.169.254"

// runHosts returns what answers in the network of a run: the server by the names of
// Azure's clouds and its own, and the identities of the run's task. It is nil for
// tasks that are to reach the real Azure.
func (d *daemon) runHosts(ctx context.Context, r drydock.RunRecord) (*drydock.RunHosts, error) {
	if d.isReal(r) {
		return nil, nil
	}
	registry, err := d.store.Resource(ctx, r.Registry)
	if err != nil {
		return nil, err
	}
	key := r.Key()
	hosts := d.hostsOf(key, registry.Location)
	hosts.Env = append(d.managed.Environment(key, metadataURL), hosts.Env...)
	hosts.Secrets = []string{d.managed.Header(key)}
	hosts.Vouch = d.loginsOf(key, d.authority.Unconfined)
	hosts.Confine = d.loginsOf(key, d.authority.Confined)
	return hosts, nil
}

// loginsOf returns what makes another login to a registry of this server of one that
// a run has, by another token; code NotFound when there is no such registry.
func (d *daemon) loginsOf(run drydock.RunKey, other func(registry drydock.ResourceID, run drydock.RunKey, token string) (string, error)) func(context.Context, drydock.Credential) (drydock.Credential, error) {
	return func(ctx context.Context, c drydock.Credential) (drydock.Credential, error) {
		name, own := d.ownRegistry(c.Registry)
		if !own || c.Username != oci.TokenUser {
			return c, nil
		}
		registry, err := registryDirectory{d}.Registry(ctx, name)
		if err != nil {
			return drydock.Credential{}, fmt.Errorf("finding the registry %s: %w", c.Registry, err)
		}
		if c.Password, err = other(registry.ID, run, c.Password); err != nil {
			return drydock.Credential{}, fmt.Errorf("signing in to the registry %s: %w", c.Registry, err)
		}
		return c, nil
	}
}

// isReal reports whether a run is to reach the real Azure.
func (d *daemon) isReal(r drydock.RunRecord) bool {
	return d.config.Azure.IsReal(r.Registry.Name(), r.Task)
}

// lookupWithin is how long the store may take to know a registry.
const lookupWithin = 2 * time.Second

// answersRuns reports whether runs mean this server by a name. Registries and
// storage accounts that it doesn't have may be those of others, whose images and
// files are public; vaults hold secrets, for which the identities of runs would show
// their tokens to whoever answers.
func (d *daemon) answersRuns(host string) bool {
	c, kind, name, known := d.names.find(host)
	switch {
	case !known:
		return false
	case c.Name == d.names.cloud().Name:
		return true
	case kind == drydock.BlobKind:
		return name == blobAccount
	case kind == drydock.RegistryKind:
		ctx, cancel := context.WithTimeout(context.Background(), lookupWithin)
		defer cancel()
		return d.hasRegistry(ctx, name)
	}
	return true
}

// hasRegistry reports whether there is a registry of a name. While that can't be
// known there is: nobody is to be led to another one of its name.
func (d *daemon) hasRegistry(ctx context.Context, name string) bool {
	_, err := registryDirectory{d}.Registry(ctx, name)
	return drydock.CodeOf(err) != drydock.NotFound
}

// ownRegistry returns the name of the registry of this server that has a host, with
// its port unless that is HTTPS's, and false for the host of something else. By the
// names of Azure's clouds, those that this server doesn't have are somebody else's.
func (d *daemon) ownRegistry(host string) (string, bool) {
	if name, ok := d.names.registryName(host); ok {
		return name, true
	}
	_, kind, name, ok := drydock.AzureHost(host)
	if !ok || kind != drydock.RegistryKind || strings.Contains(strings.TrimSuffix(host, ":443"), ":") {
		return "", false
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupWithin)
	defer cancel()
	return name, d.hasRegistry(ctx, name)
}

// canonicalRegistry returns the login server below the server's own domain of a
// registry of its, and all other hosts as they are.
func (d *daemon) canonicalRegistry(host string) string {
	if name, ok := d.ownRegistry(host); ok {
		return d.names.loginServer(name)
	}
	return host
}

// cloudRegistries returns the hosts of a run's registry in Azure's clouds, unless
// the run is to reach the real ones.
func (d *daemon) cloudRegistries(r drydock.RunRecord) []string {
	if d.isReal(r) {
		return nil
	}
	var hosts []string
	for _, c := range drydock.AzureClouds() {
		hosts = append(hosts, c.Host(drydock.RegistryKind, r.Registry.Name()))
	}
	return hosts
}

// runConn is a connection that a container of a run, or of a group, has opened in
// the network of that.
type runConn struct {
	net.Conn
	run drydock.RunKey
}

// RemoteAddr implements net.Conn. The address of a container is one that those of
// every run have, and may be of loopback there.
func (c *runConn) RemoteAddr() net.Addr { return runAddr(c.run) }

// runAddr is a run as the other end of a connection.
type runAddr drydock.RunKey

// Network implements net.Addr.
func (runAddr) Network() string { return "run" }

// String implements net.Addr.
func (a runAddr) String() string {
	key := drydock.RunKey(a)
	if key.OfGroup() {
		return key.String()
	}
	return key.String() + " of " + strings.ToLower(a.Registry.Name())
}

// connContext notes in the context of a connection which run it comes from. Nothing
// that a client sends has a part in that.
func connContext(ctx context.Context, c net.Conn) context.Context {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if of, ok := c.(*runConn); ok {
		return auth.WithRun(ctx, of.run)
	}
	return ctx
}

// runEndpoint answers what a run asks at the address of a cloud's metadata.
func (d *daemon) runEndpoint() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(auth.InstanceTokenPath, d.managed)
	mux.Handle(auth.EndpointTokenPath, d.managed)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeRefusal(w, http.StatusNotFound, "not_found", "There is nothing at "+r.URL.Path+": the network of a run answers for the identities of its task alone.")
	})
	return mux
}
