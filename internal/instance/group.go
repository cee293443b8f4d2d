package instance

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// group supervises one container group. All but what the lock guards belongs to
// the goroutine of run.
type group struct {
	m    *Manager
	id   drydock.ResourceID
	ctx  context.Context
	end  context.CancelCauseFunc
	wake chan struct{}
	done chan struct{}

	network Network
	public  bool           // as the network was made
	retired sync.WaitGroup // deployments that are on their way out
	failed  int            // attempts in a row

	mu      sync.Mutex
	notes   notes
	wanted  drydock.ContainerGroup
	current *deployment // that is served
	next    *deployment // that is being started
	problem string
	events  events
	changed chan struct{} // closed at the next change
}

func newGroup(m *Manager, id drydock.ResourceID) *group {
	g := &group{m: m, id: id, wake: make(chan struct{}, 1), done: make(chan struct{}), changed: make(chan struct{})}
	g.ctx, g.end = context.WithCancelCause(m.ctx)
	g.events.now = m.c.Now
	return g
}

func (g *group) wakeUp() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// run supervises until the group is gone or the manager ends.
func (g *group) run() {
	defer close(g.done)
	defer g.closeAll()
	g.load()
	for {
		wait := g.attend()
		timer := time.NewTimer(wait)
		select {
		case <-g.wake:
		case <-timer.C:
		case <-g.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// attend takes the next step towards what is wanted and says when to look again
// if nobody wakes it before.
func (g *group) attend() time.Duration {
	const idle = time.Hour
	err := g.converge()
	if err == nil {
		g.failed = 0
		return idle
	}
	if g.ctx.Err() != nil {
		return idle
	}
	g.fail(err)
	g.failed++
	return g.m.c.Timing.backoff(g.failed)
}

// fail notes why the group is not as it should be.
func (g *group) fail(err error) {
	g.mu.Lock()
	g.problem = err.Error()
	g.events.add("Failed", "Warning", err.Error())
	g.mu.Unlock()
	g.notify()
	g.m.c.Log.WarnContext(g.ctx, "a container group", "group", g.id.Name(), "error", err)
}

// converge makes the group as it is wanted, as far as that goes at once.
func (g *group) converge() error {
	wanted, err := g.m.c.Source.ContainerGroup(g.ctx, g.id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // who deletes it calls Remove
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.wanted = wanted
	latest := g.latest()
	g.mu.Unlock()
	switch {
	case wanted.Stopped:
		return g.rest()
	case latest == nil || latest.generation() != wanted.Generation:
		return g.deploy(wanted)
	}
	return g.advance()
}

// rest stops all containers and gives up the network; the address is remembered.
func (g *group) rest() error {
	g.mu.Lock()
	g.problem = ""
	g.mu.Unlock()
	g.stopAll(g.m.c.Timing.Grace)
	g.retired.Wait()
	err := g.closeNetwork()
	g.notify()
	return err
}

// deploy begins to start a generation. What is served stays, unless the group's
// network has to be another.
func (g *group) deploy(wanted drydock.ContainerGroup) error {
	g.mu.Lock()
	abandoned := g.next
	g.next, g.problem = nil, ""
	g.mu.Unlock()
	if abandoned != nil {
		abandoned.kill()
	}
	if g.network != nil && g.public != wanted.Public {
		if err := g.rest(); err != nil {
			return err
		}
	}
	if err := g.openNetwork(wanted); err != nil {
		return err
	}
	pinned := wanted.Digests
	g.mu.Lock()
	if g.notes.Generation == wanted.Generation {
		pinned = g.notes.Digests
	}
	g.mu.Unlock()
	d, err := newDeployment(g, wanted, pinned)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.next = d
	first := g.current == nil
	g.mu.Unlock()
	d.begin()
	g.notify()
	if first {
		return g.advance()
	}
	return nil
}

// advance serves the next deployment if it is time for that.
func (g *group) advance() error {
	g.mu.Lock()
	next, current := g.next, g.current
	g.mu.Unlock()
	if next == nil || current != nil && !next.canServe() {
		return nil
	}
	if err := g.network.Publish(g.ctx, next.pod, next.wanted.Ports); err != nil {
		return err
	}
	g.mu.Lock()
	g.current, g.next = next, nil
	g.mu.Unlock()
	if current != nil {
		network := g.network
		g.retired.Go(func() { g.retire(network, current) })
	}
	g.notify()
	return nil
}

// retire ends a deployment that no longer serves, once what it was asked is
// answered.
func (g *group) retire(network Network, d *deployment) {
	ctx, cancel := context.WithTimeout(g.ctx, g.m.c.Timing.Drain)
	defer cancel()
	network.Drain(ctx, d.pod)
	d.stop(g.m.c.Timing.Grace)
}

// closeAll ends what is left when the supervisor ends.
func (g *group) closeAll() {
	grace := min(g.m.c.Timing.Grace, 5*time.Second)
	if errors.Is(context.Cause(g.ctx), errRemoved) {
		grace = min(grace, 2*time.Second)
	}
	g.stopAll(grace)
	err := g.closeNetwork() // with what is retired
	g.retired.Wait()
	if err != nil {
		g.m.c.Log.Error("closing a container group", "group", g.id.Name(), "error", err)
	}
	g.notify()
}

// stopAll stops what is served and what is being started.
func (g *group) stopAll(grace time.Duration) {
	g.mu.Lock()
	stopped := []*deployment{g.next, g.current}
	g.next, g.current = nil, nil
	g.mu.Unlock()
	var all sync.WaitGroup
	for _, d := range stopped {
		if d != nil {
			all.Go(func() { d.stop(grace) })
		}
	}
	all.Wait()
}

// latest returns the newest generation; nil if there is none. The caller holds the
// lock.
func (g *group) latest() *deployment {
	if g.next != nil {
		return g.next
	}
	return g.current
}

// notify wakes who watches.
func (g *group) notify() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.changed)
	g.changed = make(chan struct{})
}

// watch returns a channel that is closed at the next change.
func (g *group) watch() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}
