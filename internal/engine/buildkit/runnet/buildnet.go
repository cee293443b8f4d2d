package runnet

import (
	"context"
	"fmt"
)

// buildID stands in the place of a run's id in the name of the build network.
const buildID = "build"

// BuildNetwork is the one network of all containers of builds. They reach the
// outside and the name server, but not each other.
type BuildNetwork struct {
	run *Run
}

// BuildNetwork returns the network of builds; it is closed with the manager.
func (m *Manager) BuildNetwork() *BuildNetwork { return &BuildNetwork{m.build} }

// Attach makes the network of a container of a build. The caller closes the
// attachment when the container has ended.
func (b *BuildNetwork) Attach(ctx context.Context) (*Attachment, error) {
	return b.run.Attach(ctx, Endpoint{Name: "a build"})
}

func (m *Manager) openBuildNetwork(ctx context.Context) (*Run, error) {
	r := &Run{m: m, name: m.owner.name() + "-" + buildID, isolated: true}
	if err := r.open(ctx, nil); err != nil {
		return nil, fmt.Errorf("making the network of builds: %w", err)
	}
	return r, nil
}
