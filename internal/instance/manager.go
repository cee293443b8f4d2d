package instance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Source knows the groups that there are.
type Source interface {
	// ContainerGroup returns a group; code NotFound where there is none any more.
	ContainerGroup(ctx context.Context, id drydock.ResourceID) (drydock.ContainerGroup, error)

	// ContainerGroups returns the ids of all groups.
	ContainerGroups(ctx context.Context) ([]drydock.ResourceID, error)
}

// Config is what a Manager needs.
type Config struct {
	Engine Engine
	Source Source
	States drydock.InstanceStore
	Folder string // for what containers write; made when missing
	// Hosts returns what answers in the network of a group, and what its containers
	// know of that; it may return nil, and be nil, for nothing.
	Hosts func(ctx context.Context, g drydock.ContainerGroup) (*drydock.RunHosts, error)
	// Login returns what a user-assigned identity of a group signs in to a registry
	// with; nil if there are no identities.
	Login  func(ctx context.Context, group drydock.ResourceID, login drydock.GroupLogin) (drydock.Credential, error)
	Log    *slog.Logger
	Now    func() time.Time
	NewID  func() string // returns a fresh GUID
	Timing Timing
}

// Timing says how patient a Manager is. Fields that are zero have defaults.
type Timing struct {
	Ready     time.Duration // for new containers to accept connections, until they take over all the same
	Look      time.Duration // between two looks whether they do
	Drain     time.Duration // for the connections to containers that were replaced, before SIGTERM
	Grace     time.Duration // between SIGTERM and SIGKILL
	Backoff   time.Duration // before the second restart; it doubles with each
	MaxWait   time.Duration // the most that it grows to
	Forgiving time.Duration // of running, after which a container has no bad name
}

func (t Timing) withDefaults() Timing {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.Ready, 30*time.Second)
	set(&t.Look, 20*time.Millisecond)
	set(&t.Drain, 2*time.Second)
	set(&t.Grace, 10*time.Second)
	set(&t.Backoff, time.Second)
	set(&t.MaxWait, 5*time.Minute)
	set(&t.Forgiving, 10*time.Minute)
	return t
}

// backoff is how long to wait after so many failures in a row, from 0.
func (t Timing) backoff(failures int) time.Duration {
	return min(t.Backoff<<min(failures, 16), t.MaxWait)
}

// Manager supervises all groups. Its methods may be called from several
// goroutines.
type Manager struct {
	c        Config
	consoles consoles

	ctx  context.Context // ends with the manager
	stop context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
	groups map[string]*group // by the keys of their ids
	work   sync.WaitGroup
}

// New returns a Manager that does nothing until Start.
func New(c Config) *Manager {
	c.Timing = c.Timing.withDefaults()
	m := &Manager{c: c, groups: map[string]*group{}}
	m.consoles.open = map[string]pending{}
	m.ctx, m.stop = context.WithCancelCause(context.Background())
	return m
}

// Start begins to supervise the groups that there are.
func (m *Manager) Start(ctx context.Context) error {
	if err := os.MkdirAll(m.c.Folder, 0o700); err != nil {
		return drydock.Errorf(drydock.Unavailable, "making the folder of container groups: %w", err)
	}
	ids, err := m.c.Source.ContainerGroups(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m.Sync(id)
	}
	return nil
}

// Sync says that a group may have changed.
func (m *Manager) Sync(id drydock.ResourceID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	g := m.groups[id.Key()]
	if g == nil {
		g = newGroup(m, id)
		m.groups[id.Key()] = g
		m.work.Go(g.run)
	}
	g.wakeUp()
}

func (m *Manager) group(id drydock.ResourceID) *group {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.groups[id.Key()]
}

// View returns how a group stands.
func (m *Manager) View(id drydock.ResourceID) drydock.ContainerGroupView {
	if g := m.group(id); g != nil {
		return g.view()
	}
	return drydock.ContainerGroupView{Provisioning: drydock.GroupPending, State: drydock.GroupPending}
}

// Await waits until a generation of a group is provisioned or has failed, or is
// stopped, whichever is wanted, or ctx ends.
func (m *Manager) Await(ctx context.Context, id drydock.ResourceID, generation string, stopped bool) {
	g := m.group(id)
	for g != nil {
		changed := g.watch()
		v := g.view()
		settled := v.Provisioning != drydock.GroupPending && v.Provisioning != drydock.GroupCreating
		if v.Generation == generation && settled && stopped == (v.State == drydock.GroupStopped) {
			return
		}
		select {
		case <-changed:
		case <-g.done:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Check asks for the images of a group and returns their digests, or what is
// wrong with the first that can't be had.
func (m *Manager) Check(ctx context.Context, g drydock.ContainerGroup) (map[string]string, error) {
	credentials := slices.Clone(g.Credentials)
	for _, l := range g.Logins {
		c, err := m.login(ctx, g.ID, l)
		if err != nil {
			return nil, err
		}
		credentials = append(credentials, c)
	}
	digests := map[string]string{}
	for _, c := range slices.Concat(g.Init, g.Containers) {
		if digests[c.Image] != "" {
			continue
		}
		digest, err := m.c.Engine.Resolve(ctx, c.Image, credentials)
		if err != nil {
			return nil, err
		}
		digests[c.Image] = digest
	}
	return digests, nil
}

// Remove ends a group and forgets it; it returns when nothing of it is left.
func (m *Manager) Remove(ctx context.Context, id drydock.ResourceID) error {
	m.mu.Lock()
	g := m.groups[id.Key()]
	delete(m.groups, id.Key())
	m.mu.Unlock()
	if g != nil {
		g.end(errRemoved)
		select {
		case <-g.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.Join(m.c.States.DeleteInstance(ctx, id), os.RemoveAll(m.folder(id)))
}

var (
	errRemoved = errors.New("the container group was deleted")
	errClosing = errors.New("the server is going down")
)

// Close ends all groups, which come back with the next Start.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	for _, g := range m.groups {
		g.end(errClosing)
	}
	m.mu.Unlock()
	m.stop(errClosing)
	m.work.Wait()
	m.consoles.work.Wait()
}

// folder is where the output of a group's containers is kept.
func (m *Manager) folder(id drydock.ResourceID) string {
	return filepath.Join(m.c.Folder, shortKey(id))
}

// shortKey names a group on this machine.
func shortKey(id drydock.ResourceID) string {
	sum := sha256.Sum256([]byte(id.Key()))
	return hex.EncodeToString(sum[:12])
}
