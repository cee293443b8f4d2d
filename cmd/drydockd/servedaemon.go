package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/audit"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/cloudproxy"
	"github.com/drydockhq/drydock/internal/config"
	"github.com/drydockhq/drydock/internal/identity"
	"github.com/drydockhq/drydock/internal/instance"
	"github.com/drydockhq/drydock/internal/oci"
	"github.com/drydockhq/drydock/internal/queue"
	"github.com/drydockhq/drydock/internal/runner"
	"github.com/drydockhq/drydock/internal/source/egress"
	"github.com/drydockhq/drydock/internal/sourcewatch"
	"github.com/drydockhq/drydock/internal/sqlstore"
	"github.com/drydockhq/drydock/internal/upstream"
	"github.com/drydockhq/drydock/internal/vault"
)

// daemon is a server with all of its parts.
type daemon struct {
	config  config.Config
	names   hostNames
	log     *slog.Logger
	now     func() time.Time
	environ []string
	stdout  io.Writer

	hostsFile  string
	nameKeeper atomic.Pointer[nameKeeper] // nil where the hosts file is not ours to keep

	subscription string
	admin        *auth.Credentials // of an admin that was made just now
	caPEM        []byte            // of the server's own CA; nil for a certificate from elsewhere
	ownPEM       []byte            // what the server's certificate is trusted by

	store       *sqlstore.Store
	sealer      *auth.Sealer
	authority   *auth.Authority
	directory   *auth.Directory
	blobs       *runBlobs
	blobHandler *blobs.Handler
	network     *egress.Network // of what runs name
	fetches     *runSources
	executor    executor
	audit       *audit.Log
	vaults      *vault.Service
	queue       *queue.Queue
	worker      *runner.Worker
	arm         *arm.Server
	oci         *oci.Server
	listener    net.Listener
	web         *webServer
	metrics     *metrics
	health      *health
	sources     *sourcewatch.Watcher
	hooks       *http.ServeMux              // below hooksPath
	loops       []func(ctx context.Context) // that go on while it serves
	upstream    *upstream.Watcher
	instances   *instance.Manager
	keyring     *identity.Keyring     // what the identities of tasks open
	managed     *auth.ManagedIdentity // gives runs their tokens

	proxy        *cloudproxy.Proxy // nil for none
	proxyAddress net.Addr

	closers []func() error // in the order in which they were added
}

// openDaemon makes a server from a configuration. It listens already, but
// answers only when it serves. The caller serves or closes it.
func (p *program) openDaemon(ctx context.Context, c config.Config, log *slog.Logger) (_ *daemon, err error) {
	d := &daemon{config: c, log: log, now: p.now, environ: c.Proxy.Environ(p.environ), stdout: p.stdout, health: &health{}, hostsFile: systemHostsFile}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	lock, err := lockData(ctx, c.Data)
	if err != nil {
		return nil, err
	}
	d.closing(lock.Close)
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return nil, err
	}
	d.closing(func() error { return ignoreClosed(listener.Close()) })
	d.listener = listener
	d.names = hostNames{c.Domain, c.Port}
	if d.names.port == 0 {
		d.names.port = listener.Addr().(*net.TCPAddr).Port
	}
	for _, open := range []func(context.Context) error{d.openStore, d.openAuth, d.openBlobs} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	certificate, err := d.openCertificate()
	if err != nil {
		return nil, err
	}
	d.network = d.openEgress()
	if err := d.openEngine(ctx, p.open, listener.Addr()); err != nil {
		return nil, err
	}
	for _, open := range []func(context.Context) error{
		d.openVaults, d.openRegistries, d.openQueue, d.openWorker, d.openInstances, d.openARM, d.openTriggers, d.openTimers, d.openNotify, d.openProxy,
	} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	d.metrics = newMetrics(d)
	d.web = newWebServer(listener, d.router(), certificate, log)
	return d, nil
}

// closing adds something to be closed with the daemon, before what was added
// earlier.
func (d *daemon) closing(f func() error) { d.closers = append(d.closers, f) }

func (d *daemon) close() error {
	var errs []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		errs = append(errs, d.closers[i]())
	}
	d.closers = nil
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "listening on %s: %w", address, err).
			WithHint("choose another address with --listen")
	}
	return l, nil
}

func (d *daemon) path(name string) string { return filepath.Join(d.config.Data, name) }

func (d *daemon) openStore(ctx context.Context) (err error) {
	if d.sealer, err = openSealer(d.config.Data); err != nil {
		return err
	}
	if d.store, err = sqlstore.Open(ctx, d.path(databaseFile)); err != nil {
		return err
	}
	d.closing(d.store.Close)
	return nil
}

func (d *daemon) loginServer(registry drydock.ResourceID) string {
	return d.names.loginServer(registry.Name())
}
