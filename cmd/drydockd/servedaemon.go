package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/audit"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/blobs"
	"github.com/drydockhq/drydock/internal/certs"
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
	for _, open := range []func(context.Context) error{d.openVaults, d.openRegistries, d.openQueue, d.openInstances, d.openARM, d.openTriggers, d.openTimers, d.openNotify, d.openProxy} {
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

// openAuth opens the authority and makes the admin at the first start.
func (d *daemon) openAuth(ctx context.Context) error {
	tenant, err := auth.Tenant(ctx, d.store, uuid.NewString)
	if err != nil {
		return err
	}
	if d.subscription, err = auth.Subscription(ctx, d.store, uuid.NewString); err != nil {
		return err
	}
	keys, err := (&auth.Keys{Settings: d.store, Sealer: d.sealer, Now: d.now}).Load(ctx)
	if err != nil {
		return err
	}
	hasher := auth.NewHasher()
	d.directory = &auth.Directory{
		Principals: d.store, Roles: d.store, Settings: d.store, Hasher: hasher, Now: d.now, NewID: uuid.NewString,
	}
	d.authority = auth.NewAuthority(auth.Config{
		Keys: keys, Principals: d.store, Runs: d.store, Groups: d.groupCreated, Hasher: hasher,
		Tenant: tenant, LoginURL: d.names.url(loginHost), Resources: d.resources(),
		Provider: d.provider(), Now: d.now, NewID: uuid.NewString,
	})
	d.admin, err = d.directory.Admin(ctx, d.subscription)
	return err
}

// resources are the names by which clients ask for tokens for the services: their
// own, and those of Azure's clouds, which are built into clients.
func (d *daemon) resources() map[auth.Audience][]string {
	all := map[auth.Audience][]string{}
	for _, c := range append([]drydock.Cloud{d.names.cloud()}, drydock.AzureClouds()...) {
		for audience, kind := range map[auth.Audience]drydock.HostKind{
			auth.Management: drydock.ManagementHost, auth.Registry: drydock.RegistryKind, auth.Graph: drydock.GraphHost, auth.Vault: drydock.VaultKind,
		} {
			all[audience] = append(all[audience], c.Audiences(kind)...)
		}
	}
	return all
}

func (d *daemon) openBlobs(ctx context.Context) error {
	folder, err := blobs.OpenFolder(d.path(blobsFolder), blobs.FolderOptions{MaxSize: d.config.MaxUpload, Now: d.now})
	if err != nil {
		return err
	}
	d.closing(folder.Close)
	key, err := secretSetting(ctx, d.store, d.sealer, "blobs/signing-key")
	if err != nil {
		return err
	}
	d.blobs = &runBlobs{
		folder: folder, signer: &blobs.Signer{Key: key, Now: d.now},
		own: d.names.cloud(), runs: d.store, resources: d.store, now: d.now,
	}
	d.blobHandler = &blobs.Handler{
		Store: folder, Signer: d.blobs.signer, Log: d.log, Now: d.now, MaxSize: d.config.MaxUpload,
	}
	return nil
}

// openCertificate returns what gives out the server's certificates: that of its
// own domain, and by the names of Azure's clouds always one of its own making.
func (d *daemon) openCertificate() (func(*tls.ClientHelloInfo) (*tls.Certificate, error), error) {
	own, err := d.ownCertificate()
	if err != nil {
		return nil, err
	}
	a, err := certs.OpenCloudAuthority(d.path(cloudCertsFolder), d.now())
	if err != nil {
		return nil, err
	}
	d.ownPEM = append(append(bytes.Clone(d.ownPEM), '\n'), a.PEM()...)
	if err := d.writeBundle(); err != nil {
		return nil, err
	}
	return certs.ForClouds(own, certs.FromCloudAuthority(a, d.now)), nil
}

// ownCertificate returns the source of the certificate of the server's domain.
func (d *daemon) ownCertificate() (*certs.Source, error) {
	if d.config.Certificate != "" {
		s, err := certs.FromFiles(d.config.Certificate, d.config.Key, d.now)
		if err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "%w", err)
		}
		// Runs reach the server by its own names, whoever signed the certificate.
		if d.ownPEM, err = os.ReadFile(d.config.Certificate); err != nil {
			return nil, drydock.Errorf(drydock.Invalid, "reading the certificate: %w", err)
		}
		return s, nil
	}
	a, err := certs.OpenAuthority(d.path(certsFolder), d.names.domain, d.now())
	if err != nil {
		return nil, err
	}
	d.caPEM, d.ownPEM = a.PEM(), a.PEM()
	return certs.FromAuthority(a, d.names.domain, d.now), nil
}

// openEngine opens what carries out runs. They reach the server's registries
// through its own listener, whatever their names resolve to.
func (d *daemon) openEngine(ctx context.Context, open openExecutor, listener net.Addr) (err error) {
	cas := map[string][]byte{}
	for host, pem := range d.config.CAs {
		cas[host] = pem
	}
	cas[""] = append(append(append([]byte{}, d.ownPEM...), '\n'), cas[""]...)
	d.executor, err = open(ctx, engineOptions{
		data: d.path(engineFolder), mirrors: d.config.Mirrors, cas: cas, insecure: d.config.Insecure,
		limits: d.config.Limits, maxCache: d.config.MaxCache, local: d.local(listener), dial: d.dialRegistry, downloads: d.network,
		realLocal: d.realLocal(listener), realDial: d.dialReal,
		warn:       func(format string, args ...any) { d.log.Warn(fmt.Sprintf(format, args...)) },
		instances:  d.config.Instances,
		advice:     serveAdvice(),
		libraryLog: io.Discard,
	})
	if err != nil {
		return err
	}
	d.closing(d.executor.Close)
	return nil
}

// local returns the address of the server's own listener for its registries.
func (d *daemon) local(listener net.Addr) func(host string) (string, bool) {
	return localTo(listener, d.ownRegistry)
}

// realLocal is local for who means Azure's own registries by the names of its
// clouds.
func (d *daemon) realLocal(listener net.Addr) func(host string) (string, bool) {
	return localTo(listener, d.names.registryName)
}

func localTo(listener net.Addr, own func(host string) (string, bool)) func(host string) (string, bool) {
	address := listener.String()
	if tcp, ok := listener.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		address = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Port}).String()
	}
	return func(host string) (string, bool) {
		_, ok := own(strings.TrimSuffix(host, ":443"))
		return address, ok
	}
}

func (d *daemon) openQueue(ctx context.Context) (err error) {
	d.queue, err = queue.Open(ctx, queue.Config{
		Runs: d.store, Owner: ownerName(), Alone: true, Slots: d.config.Slots, Batch: d.config.MaxPerUpdate,
		Recovered: d.recovered, Now: d.now, Log: d.log,
	})
	if err != nil {
		return err
	}
	d.closing(func() error { d.queue.Close(); return nil })
	sources := d.path(sourcesFolder)
	// What a killed server was fetching is of no use.
	if err := errors.Join(os.RemoveAll(sources), os.MkdirAll(sources, 0o711)); err != nil {
		return drydock.Errorf(drydock.Unavailable, "making a folder for sources: %w", err)
	}
	program, err := ownProgram()
	if err != nil {
		return err
	}
	d.fetches = &runSources{
		blobs: d.blobs, dir: sources, env: d.environ, files: d.config.SourceFiles,
		network: d.network, cas: d.config.CAs, insecure: d.config.Insecure, connect: program,
	}
	d.openIdentities()
	d.worker = &runner.Worker{Queue: d.queue, Drain: d.config.Drain, Log: d.log, Ended: d.ended, Agent: &runner.Agent{
		Executor: d.executor, Logs: d.blobs, Sealed: d.sealer, Tokens: d.authority, LogArtifacts: logArtifacts{d},
		Sources: d.fetches, Client: d.network.Client(), Identities: d.keyring,
		LoginServer: d.loginServer, Limits: d.config.Limits, Images: d.config.Images,
		Privileged: d.config.Privileged, CacheScope: d.cacheScope, Hosts: d.runHosts, OtherHosts: d.cloudRegistries, RealAzure: d.isReal, Canonical: d.canonicalRegistry, Now: d.now,
	}}
	return nil
}

// ownerName names this life of the server.
func ownerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "server"
	}
	return host + "/" + uuid.NewString()
}

func (d *daemon) loginServer(registry drydock.ResourceID) string {
	return d.names.loginServer(registry.Name())
}

// cacheScope sets a registry apart from the others, and from one that had its
// name before.
func (d *daemon) cacheScope(ctx context.Context, registry drydock.ResourceID) (string, error) {
	return d.blobs.container(ctx, "", registry)
}

// recovered ends the log of a run that ended with the server that had it.
func (d *daemon) recovered(ctx context.Context, r drydock.RunRecord, reason string) {
	log := d.log.With("registry", r.Registry.Name(), "run", r.ID, "status", r.Status)
	log.WarnContext(ctx, "recovered a run", "reason", reason)
	if !r.Status.Ended() {
		return
	}
	if err := d.blobs.seal(ctx, r); err != nil {
		log.ErrorContext(ctx, "ending the log of a run", "error", err)
	}
}

func (d *daemon) openARM(context.Context) error {
	d.arm = arm.New(arm.Config{
		Resources: d.store, Runs: d.store, Events: d.store, Principals: d.store, Roles: d.store, Transactor: d.store,
		Authority: d.authority, Sealer: d.sealer, Queue: &runQueue{d}, Blobs: d.blobs,
		Importer: importer{d}, Usage: d.usage(), Instances: d.instances,
		InstanceDomain: instanceHosts + "." + d.names.domain,
		Outbox:         d.outbox(), Images: d.store, ImagesViewer: baseimage.Viewer{Store: d.store}, Polls: d.store, Sources: d.store,
		AdminUsers: &auth.AdminUsers{Resources: d.store, Sealer: d.sealer},
		Tokens:     d.scopedTokens(),
		Vaults:     d.store, VaultDomain: d.names.cloud().Vaults, ElsewhereVault: d.isStoredElsewhere, Audit: d.store,
		Subscription: d.subscription, SubscriptionName: "Drydock",
		RegistryDomain: d.names.host(registryHosts), RegistryHooks: d.registryHooks(),
		Platforms: []string{"linux/" + runtime.GOARCH},
		OnCreate:  d.created, RefusedReceiver: d.refusedReceiver,
		OnDelete: []arm.Hook{d.deletingInstance, d.deleting},
		Log:      d.log, Now: d.now, NewID: uuid.NewString,
	})
	d.closing(func() error { d.arm.Close(); return nil })
	return nil
}

// withMetadata describes the server to clients that know its address only, by the
// names of the cloud that they asked.
func (d *daemon) withMetadata(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := drydock.CloudOf(r.Context(), d.names.cloud())
		arm.WithMetadata(arm.Cloud{
			Name: c.Name, Management: c.URL(drydock.ManagementHost, ""), Login: c.URL(drydock.LoginHost, ""),
			Graph: c.URL(drydock.GraphHost, ""), Tenant: d.authority.Tenant(),
			RegistryDomain: c.Registries, VaultDomain: c.Vaults, StorageDomain: strings.TrimPrefix(c.Blobs, blobHosts+"."),
		}, next).ServeHTTP(w, r)
	})
}

// router returns the handler of all hosts.
func (d *daemon) router() http.Handler {
	return d.metrics.count(&hostRouter{
		names: d.names, own: d.ownHandler(), endpoint: d.runEndpoint(), log: d.log,
		services: map[drydock.HostKind]http.Handler{
			drydock.ManagementHost: d.withConsoles(d.withHooks(d.withMetadata(d.audited(d.arm)))),
			drydock.LoginHost:      d.audited(d.authority.Handler()),
			drydock.GraphHost:      d.audited(d.graphHandler()),
			drydock.RegistryKind:   d.audited(d.oci),
			drydock.BlobKind:       d.blobHandler,
			drydock.VaultKind:      d.audited(d.vaultHandler()),
		},
	})
}
