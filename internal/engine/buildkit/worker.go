package buildkit

import (
	"context"
	"fmt"

	ctdsnapshot "github.com/containerd/containerd/v2/core/snapshots"
	overlaysnapshot "github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/moby/buildkit/client"
	bkconfig "github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/disk"
	"github.com/moby/buildkit/util/network/netproviders"
	"github.com/moby/buildkit/worker/base"
	"github.com/moby/buildkit/worker/runc"

	"github.com/drydockhq/drydock"
)

// newWorker opens the caches below the executor's root.
func newWorker(ctx context.Context, e *Executor) (*base.Worker, error) {
	snapshotter := runc.SnapshotterFactory{
		Name: "overlayfs",
		New: func(root string) (ctdsnapshot.Snapshotter, error) {
			return overlaysnapshot.NewSnapshotter(root, overlaysnapshot.AsynchronousRemove)
		},
	}
	opt, err := runc.NewWorkerOpt(e.config.Root, snapshotter, false, oci.ProcessSandbox, nil, nil,
		netproviders.Opt{Mode: "host"}, &oci.DNSConfig{Nameservers: []string{e.network.DNS()}},
		e.machine.runc, "", false, nil, "", e.runtime.group.path, nil)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "opening the build cache: %w", err).
			WithHint("`drydockd prune --all` or an empty data folder makes a new one")
	}
	// The executor reads this map at each container, so that no RUN ever meets
	// the host's own network.
	e.builds = &buildNetwork{network: e.network, limits: e.config.Limits}
	opt.NetworkProviders[pb.NetMode_UNSET] = e.builds
	opt.NetworkProviders[pb.NetMode_HOST] = e.builds
	opt.RegistryHosts = e.config.Registries.anonymousHosts()
	opt.GCPolicy = gcPolicy(e.config.Root, e.config.MaxCache)
	w, err := base.NewWorker(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("opening the build cache: %w", err)
	}
	w.SourceManager.Register(&imageSource{runs: e.runs})
	return w, nil
}

// gcPolicy is BuildKit's own default policy with a bound of maxBytes, or a
// tenth of the disk.
func gcPolicy(root string, maxBytes int64) []client.PruneInfo {
	stat, err := disk.GetDiskStat(root)
	if err != nil {
		stat = disk.DiskStat{}
	}
	config := bkconfig.GCConfig{GCMaxUsedSpace: bkconfig.DiskSpace{Percentage: 10}}
	if maxBytes > 0 {
		config.GCMaxUsedSpace = bkconfig.DiskSpace{Bytes: maxBytes}
	}
	config.GCMinFreeSpace = bkconfig.DiskSpace{Percentage: 5}
	var policy []client.PruneInfo
	for _, rule := range bkconfig.DefaultGCPolicy(config, stat) {
		policy = append(policy, client.PruneInfo{
			Filter:        rule.Filters,
			All:           rule.All,
			KeepDuration:  rule.KeepDuration.Duration,
			ReservedSpace: rule.ReservedSpace.AsBytes(stat),
			MaxUsedSpace:  rule.MaxUsedSpace.AsBytes(stat),
			MinFreeSpace:  rule.MinFreeSpace.AsBytes(stat),
		})
	}
	return policy
}
