package buildkit

import (
	"context"
	"sync"

	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/util/network"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// buildNetwork gives the containers of RUN instructions their network. What it
// sets in their spec stays out of BuildKit's cache keys.
type buildNetwork struct {
	network *runnet.Manager
	limits  drydock.Limits
	open    sync.WaitGroup // namespaces
}

// New joins a container to the build network.
func (b *buildNetwork) New(ctx context.Context, _ string, _ network.NamespaceOptions) (network.Namespace, error) {
	attached, err := b.network.BuildNetwork().Attach(ctx)
	if err != nil {
		return nil, err
	}
	b.open.Add(1)
	return &buildNamespace{builds: b, attached: attached, pids: pidsLimit(b.limits)}, nil
}

// wait returns when all containers of builds are gone: BuildKit deletes them
// after it has said that they ended, and closes their namespaces last.
func (b *buildNetwork) wait() { b.open.Wait() }

// Close does nothing: the network belongs to the executor.
func (b *buildNetwork) Close() error { return nil }

// buildNamespace is the network namespace of one RUN.
type buildNamespace struct {
	builds   *buildNetwork
	attached *runnet.Attachment
	pids     int64
	close    sync.Once
	closeErr error
}

// Set puts the namespace, and the limit of processes, into a container's spec.
func (n *buildNamespace) Set(spec *specs.Spec) error {
	joinNetwork(spec, n.attached.NetNSPath)
	if spec.Linux.Resources == nil {
		spec.Linux.Resources = &specs.LinuxResources{}
	}
	spec.Linux.Resources.Pids = &specs.LinuxPids{Limit: &n.pids}
	return nil
}

// Sample returns nothing: network traffic of builds is not measured.
func (n *buildNamespace) Sample() (*resources.NetworkSample, error) { return nil, nil }

// Close leaves the network. BuildKit calls it more than once.
func (n *buildNamespace) Close() error {
	n.close.Do(func() {
		n.closeErr = n.attached.Close()
		n.builds.open.Done()
	})
	return n.closeErr
}
