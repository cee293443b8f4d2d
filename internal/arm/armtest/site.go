// Package armtest runs a resource manager with its authority, on a real
// database, for tests.
package armtest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/arm"
	"github.com/drydockhq/drydock/internal/auth"
	"github.com/drydockhq/drydock/internal/baseimage"
	"github.com/drydockhq/drydock/internal/graph"
	"github.com/drydockhq/drydock/internal/notify"
	"github.com/drydockhq/drydock/internal/sqlstore"
)

// RegistryDomain is what the login servers of a site end with.
const RegistryDomain = "azurecr.drydock.test:8443"

// What tokens are for: those for a site's directory, and for vaults.
const (
	Graph = "https://graph.drydock.test"
	Vault = "https://vault.drydock.test"
)

// Site is a resource manager and its authority on one TLS listener.
type Site struct {
	URL          string // of both, without a final slash
	Tenant       string
	Subscription string
	Client       *http.Client // trusts the listener

	Store     *sqlstore.Store
	Authority *auth.Authority
	Directory *auth.Directory
	Admin     auth.Credentials
	Sealer    *auth.Sealer
	Tokens    *auth.ScopedTokens
	Queue     *Queue
	Importer  *Importer
	Deleted   *Deleted
	Instances *Instances
	Server    *arm.Server
	Graph     http.Handler // of the directory of principals
	// Naming, if it isn't nil, is called by each look whether a name is taken.
	Naming func()

	away   atomic.Bool
	broken atomic.Bool
	passed atomic.Int64 // time.Duration
}

// Pass puts the clock of the authority forward.
func (s *Site) Pass(d time.Duration) { s.passed.Add(int64(d)) }

func (s *Site) now() time.Time { return time.Now().Add(time.Duration(s.passed.Load())) }

// Away makes the store of resources fail as when its disk is full or gone.
func (s *Site) Away(away bool) { s.away.Store(away) }

// Broken makes the store of resources refuse to write.
func (s *Site) Broken(broken bool) { s.broken.Store(broken) }

// resources is a store that can be away, or broken.
type resources struct {
	drydock.ResourceStore
	away, broken *atomic.Bool
	naming       *func()
}

// Resources implements drydock.ResourceStore.
func (r *resources) Resources(ctx context.Context, f drydock.ResourceFilter) ([]drydock.Resource, error) {
	if f.Name != "" && *r.naming != nil {
		(*r.naming)()
	}
	return r.ResourceStore.Resources(ctx, f)
}

// PutResource implements drydock.ResourceStore.
func (r *resources) PutResource(ctx context.Context, res drydock.Resource, ifMatch string) (drydock.Resource, error) {
	if r.broken.Load() {
		return drydock.Resource{}, drydock.Errorf(drydock.Unavailable, "storing %s: the disk is full", res.ID.Name())
	}
	return r.ResourceStore.PutResource(ctx, res, ifMatch)
}

// Resource implements drydock.ResourceStore.
func (r *resources) Resource(ctx context.Context, id drydock.ResourceID) (drydock.Resource, error) {
	if r.away.Load() {
		return drydock.Resource{}, drydock.Errorf(drydock.Unavailable, "reading %s: the disk is away", id.Name())
	}
	return r.ResourceStore.Resource(ctx, id)
}

// Start starts a site that ends with the test. More names by which tokens for
// its directory are asked for can be given.
func Start(t testing.TB, graphs ...string) *Site {
	t.Helper()
	store, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "drydock.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	sealer, err := auth.NewSealer(auth.NewSealKey())
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{
		Tenant: uuid.NewString(), Subscription: uuid.NewString(), Store: store, Sealer: sealer,
		Queue: &Queue{runs: store}, Importer: &Importer{Hold: make(chan struct{})}, Deleted: &Deleted{}, Instances: &Instances{Broken: map[string]error{}},
		Directory: &auth.Directory{
			Principals: store, Roles: store, Settings: store,
			Hasher: auth.NewHasher(), Now: time.Now, NewID: uuid.NewString,
		},
	}
	s.Tokens = &auth.ScopedTokens{Resources: store, Sealer: sealer, Hasher: s.Directory.Hasher, Now: time.Now, NewID: uuid.NewString}
	listener := httptest.NewUnstartedServer(nil)
	s.URL = "https://" + listener.Listener.Addr().String()
	s.authority(t, append([]string{Graph}, graphs...))
	s.Restart(t)
	listener.Config.Handler = http.HandlerFunc(s.serve)
	listener.StartTLS()
	t.Cleanup(listener.Close)
	s.Client = listener.Client()
	return s
}

func (s *Site) authority(t testing.TB, graphs []string) {
	t.Helper()
	keys := &auth.Keys{Settings: s.Store, Sealer: s.Sealer, Now: s.now}
	set, err := keys.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Authority = auth.NewAuthority(auth.Config{
		Keys: set, Principals: s.Store, Runs: s.Store, Hasher: auth.NewHasher(),
		Tenant: s.Tenant, LoginURL: s.URL,
		Resources: map[auth.Audience][]string{
			auth.Management: {s.URL}, auth.Registry: {"https://containerregistry.azure.net"}, auth.Graph: graphs,
			auth.Vault: {Vault},
		},
		Now: s.now, NewID: uuid.NewString,
	})
	admin, err := s.Directory.Admin(t.Context(), s.Subscription)
	if err != nil || admin == nil {
		t.Fatalf("making the admin: %v", err)
	}
	s.Admin = *admin
}

// Restart replaces the resource manager by a new one on the same database, as a
// new start of the server does.
func (s *Site) Restart(t testing.TB) {
	t.Helper()
	server := arm.New(arm.Config{
		Resources: &resources{s.Store, &s.away, &s.broken, &s.Naming}, Runs: s.Store, Events: s.Store, Principals: s.Store, Roles: s.Store, Transactor: s.Store,
		Authority: s.Authority, Sealer: s.Sealer, Queue: s.Queue, Blobs: blobs{}, Importer: s.Importer, Usage: usage{}, Instances: s.Instances, InstanceDomain: "azurecontainer.drydock.test",
		Images: s.Store, ImagesViewer: baseimage.Viewer{Store: s.Store}, Polls: s.Store, Sources: s.Store,
		Outbox:     &notify.Outbox{Store: s.Store, Sealer: s.Sealer, Now: time.Now},
		AdminUsers: &auth.AdminUsers{Resources: s.Store, Sealer: s.Sealer},
		Vaults:     s.Store, VaultDomain: "vault.drydock.test", Audit: s.Store,
		ElsewhereVault: func(name string) bool { return name == "elsewhere" },
		Tokens:         s.Tokens,
		Subscription:   s.Subscription, SubscriptionName: "Test", RegistryDomain: RegistryDomain, RegistryHooks: "https://management.drydock.test:8443/hooks/registry/",
		Platforms: []string{"linux/amd64", "linux/arm64"},
		RefusedReceiver: func(u *url.URL) string {
			if u.Hostname() == "closed.example" {
				return "closed"
			}
			return ""
		},
		OnDelete: []arm.Hook{s.Deleted.hook},
		Linger:   s.Deleted.linger,
		Log:      slog.New(slog.NewTextHandler(t.Output(), nil)),
		Now:      time.Now, NewID: uuid.NewString,
	})
	s.Server, s.Instances.Source = server, server
	s.Graph = graph.New(graph.Config{
		Authority: s.Authority, Directory: s.Directory, Secrets: s.Directory, Principals: s.Store, Roles: s.Store,
		People: s.Directory, Logins: s.Store, Groups: s.Directory, Issuer: "https://id.example",
		Subscription: s.Subscription, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now, NewID: uuid.NewString,
	})
	t.Cleanup(server.Close)
}

// serve tells the two services apart by the paths, for want of host names.
func (s *Site) serve(w http.ResponseWriter, r *http.Request) {
	first, _, _ := strings.Cut(strings.TrimLeft(r.URL.Path, "/"), "/")
	switch strings.ToLower(first) {
	case s.Tenant, "adfs", "discovery", "common":
		s.Authority.Handler().ServeHTTP(w, r)
	default:
		s.Server.ServeHTTP(w, r)
	}
}

// Queue stores runs, and starts none.
type Queue struct {
	runs drydock.RunStore

	mu    sync.Mutex
	slots map[string]int
}

// Enqueue implements arm.Queue.
func (q *Queue) Enqueue(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	return q.runs.CreateRun(ctx, r)
}

// Cancel implements arm.Queue.
func (q *Queue) Cancel(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	return q.End(ctx, registry, id, drydock.RunCanceled, "")
}

// SetSlots implements arm.Queue.
func (q *Queue) SetSlots(_ drydock.ResourceID, pool string, slots int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.slots == nil {
		q.slots = map[string]int{}
	}
	q.slots[pool] = slots
}

// Slots returns what SetSlots has set for pools, by their names.
func (q *Queue) Slots(pool string) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.slots[pool]
}

// End ends a run.
func (q *Queue) End(ctx context.Context, registry drydock.ResourceID, id string, status drydock.RunStatus, result string) (drydock.RunRecord, error) {
	return q.runs.UpdateRun(ctx, registry, id, func(r *drydock.RunRecord) error {
		r.Status, r.Finished, r.Updated = status, time.Now(), time.Now()
		if result != "" {
			r.Result = []byte(result)
		}
		return nil
	})
}

type blobs struct{}

func (blobs) NewUpload(_ context.Context, registry drydock.ResourceID) (arm.Upload, error) {
	return arm.Upload{URL: "https://account.blob.test/source/" + registry.Name() + ".tar.gz?sig=x", RelativePath: "source/" + registry.Name() + ".tar.gz"}, nil
}

// UploadGone implements arm.Blobs: what is not named "gone" is there.
func (blobs) UploadGone(_ context.Context, _ drydock.ResourceID, source string) (bool, error) {
	return strings.Contains(source, "gone"), nil
}

func (blobs) LogLinks(_ context.Context, registry drydock.ResourceID, run string) (arm.LogLinks, error) {
	link := "https://account.blob.test/logs/" + registry.Name() + "/" + run + ".log?sig=x"
	return arm.LogLinks{Blob: link, Follow: link + "&follow"}, nil
}

// Importer notes what it was asked to import, and ends when Hold is closed.
type Importer struct {
	Hold chan struct{}
	Err  error // of all imports; set before the first

	mu   sync.Mutex
	done []arm.Import
}

// Import implements arm.Importer.
func (i *Importer) Import(ctx context.Context, asked arm.Import) error {
	select {
	case <-i.Hold:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.done = append(i.done, asked)
	return i.Err
}

// Done returns the imports.
func (i *Importer) Done() []arm.Import {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]arm.Import(nil), i.done...)
}

type usage struct{}

func (usage) Size(context.Context, drydock.ResourceID) (int64, error) { return 12345, nil }

// Deleted notes what is deleted, and can refuse that.
type Deleted struct {
	// Hold makes deletions wait until it is closed, if it isn't nil; set before the
	// first.
	Hold chan struct{}
	// Pools lets deleted agent pools be seen until it is closed, if it isn't nil; set
	// before the first deletion.
	Pools chan struct{}

	mu    sync.Mutex
	names []string
	err   error
}

func (d *Deleted) hook(ctx context.Context, r drydock.Resource) error {
	if err := waitFor(ctx, d.Hold); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	d.names = append(d.names, r.ID.Name())
	return nil
}

func (d *Deleted) linger(ctx context.Context) error { return waitFor(ctx, d.Pools) }

func waitFor(ctx context.Context, closed chan struct{}) error {
	if closed == nil {
		return nil
	}
	select {
	case <-closed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Refuse makes deletions end with an error; nil lets them be.
func (d *Deleted) Refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// Names returns the names of what was deleted, in that order.
func (d *Deleted) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.names...)
}
