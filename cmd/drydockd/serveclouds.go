package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cloudproxy"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// Below the folder of certificates: the authority for the names of Azure's clouds,
// and what clients behind the proxy trust.
const (
	cloudCertsFolder = certsFolder + "/clouds"
	clientsFile      = certsFolder + "/clients.pem"
)

// systemBundles are where systems keep the certificates that they trust.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
}

// systemPEM returns what this machine trusts, and nil if that is nowhere.
func systemPEM() []byte {
	for _, file := range systemBundles {
		if text, err := os.ReadFile(file); err == nil {
			return append(text, '\n')
		}
	}
	return nil
}

// writeBundle writes what clients behind the proxy trust: this server, and what
// the machine does if they reach anything else.
func (d *daemon) writeBundle() error {
	text := bytes.Clone(d.ownPEM)
	if len(d.config.Azure.Pass) > 0 {
		text = append(append(text, '\n'), systemPEM()...)
	}
	file := d.path(clientsFile)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return drydock.Errorf(drydock.Unavailable, "storing what clients trust: %w", err)
	}
	if err := os.WriteFile(file+".new", text, 0o644); err != nil {
		return drydock.Errorf(drydock.Unavailable, "storing what clients trust: %w", err)
	}
	return os.Rename(file+".new", file)
}

// openProxy opens the proxy for clients on this machine, if there is to be one.
func (d *daemon) openProxy(ctx context.Context) error {
	if d.config.Azure.Proxy == "" {
		return nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.config.Azure.Proxy)
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "listening on %s: %w", d.config.Azure.Proxy, err).
			WithHint("choose another address with --proxy")
	}
	d.closing(func() error { return ignoreClosed(listener.Close()) })
	outside := egress.New(egress.Options{
		Policy: egress.Policy{Who: "clients of the proxy", Self: drydock.Self{Listens: d.isOwn, Named: d.isOwnHost}},
		Proxy:  proxyFunc(d.environ),
	})
	d.closing(func() error { outside.CloseIdleConnections(); return nil })
	d.proxy = cloudproxy.New(cloudproxy.Config{
		Ours: d.httpsPort, Take: func(c net.Conn) { d.web.takeSecure(c) },
		Plain: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.web.plain.Handler.ServeHTTP(w, r) }),
		// No run is behind the proxy, and the machine itself has no identity.
		Metadata: d.metadataHandler(), Pass: d.config.Azure.Pass, Outside: outside, Log: d.log,
	})
	d.proxyAddress = listener.Addr()
	d.alongside(func(ctx context.Context) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			if err := d.proxy.Serve(listener); err != nil {
				d.log.ErrorContext(ctx, "serving the proxy", "error", err)
			}
		}()
		<-ctx.Done()
		if err := d.proxy.Close(); err != nil {
			d.log.WarnContext(ctx, "closing the proxy", "error", err)
		}
		<-done
	})
	return nil
}

// isOwnHost reports whether a host, without its port, is one of the server's.
func (d *daemon) isOwnHost(host string) bool {
	_, _, _, ok := d.names.find(host)
	return ok
}

// httpsPort returns the port by which URLs name a host of the server, and false
// for all other hosts.
func (d *daemon) httpsPort(host string) (port int, ok bool) {
	if _, err := netip.ParseAddr(host); err == nil {
		return 0, false
	}
	c, _, _, ok := d.names.find(host)
	if ok && c.Name == d.names.cloud().Name {
		return d.names.port, true
	}
	return 443, ok
}
