package buildkit

import (
	"context"
	"fmt"
	"sync"

	"github.com/moby/buildkit/frontend/gateway/client"
)

// runTable finds the run, and the build of it, that a BuildKit session belongs
// to.
type runTable struct {
	mu     sync.Mutex
	builds map[string]*build // by id of the BuildKit session
}

func newRunTable() *runTable { return &runTable{builds: map[string]*build{}} }

func (t *runTable) add(sessionID string, b *build) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.builds[sessionID] = b
}

func (t *runTable) remove(sessionID string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.builds, sessionID)
}

func (t *runTable) build(sessionID string) *build {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.builds[sessionID]
}

// solveDockerfile is the frontend of all builds.
func (t *runTable) solveDockerfile(ctx context.Context, c client.Client) (*client.Result, error) {
	b := t.build(c.BuildOpts().SessionID)
	if b == nil {
		return nil, fmt.Errorf("no build has the session %s", c.BuildOpts().SessionID)
	}
	return b.solveDockerfile(ctx, c)
}
