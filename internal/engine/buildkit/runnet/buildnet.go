package runnet

import (
	"context"
	"fmt"
	"sync"
)

// buildID stands in the place of a run's id in the name of the build network;
// no run can have it.
const buildID = "@build"

// BuildNetwork is the one network of all containers of builds. They reach the
// outside and the name server, but not each other. It is made for the first of
// them.
type BuildNetwork struct {
	m *Manager

	mu  sync.Mutex
	run *Run // nil until it is made
}

// BuildNetwork returns the network of builds; it is closed with the manager.
func (m *Manager) BuildNetwork() *BuildNetwork { return m.build }

// Attach makes the network of a container of a build. The caller closes the
// attachment when the container has ended.
func (b *BuildNetwork) Attach(ctx context.Context) (*Attachment, error) {
	r, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	return r.Attach(ctx, Endpoint{Name: "a build"})
}

func (b *BuildNetwork) open(ctx context.Context) (*Run, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil {
		return b.run, nil
	}
	r := &Run{m: b.m, name: b.m.owner.name() + "-" + buildID, isolated: true}
	if err := b.m.open(ctx, r, nil); err != nil {
		return nil, fmt.Errorf("making the network of builds: %w", err)
	}
	b.run = r
	return r, nil
}
