package buildkit

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/moby/buildkit/client"
	bkconfig "github.com/moby/buildkit/cmd/buildkitd/config"
	"github.com/moby/buildkit/executor/oci"
	"github.com/moby/buildkit/executor/resources"
	"github.com/moby/buildkit/executor/runcexecutor"
	"github.com/moby/buildkit/solver/pb"
	httpsource "github.com/moby/buildkit/source/http"
	"github.com/moby/buildkit/util/disk"
	"github.com/moby/buildkit/util/network"
	"github.com/moby/buildkit/worker/base"
)

// newWorker makes BuildKit's worker on the executor's store.
func newWorker(ctx context.Context, e *Executor) (*base.Worker, error) {
	opt, err := e.store.workerOpt()
	if err != nil {
		return nil, err
	}
	// The executor reads this map at each container, so that no RUN ever meets
	// the host's own network.
	e.builds = &buildNetwork{network: e.network, limits: e.config.Limits}
	opt.NetworkProviders = map[pb.NetMode]network.Provider{
		pb.NetMode_UNSET: e.builds,
		pb.NetMode_HOST:  e.builds,
		pb.NetMode_NONE:  network.NewNoneProvider(),
	}
	if opt.ResourceMonitor, err = resources.NewMonitor(); err != nil {
		return nil, fmt.Errorf("making the monitor of builds: %w", err)
	}
	containers, err := runcexecutor.New(runcexecutor.Opt{
		Root:                filepath.Join(opt.Root, "executor"),
		CommandCandidates:   []string{e.machine.runc},
		ProcessMode:         oci.ProcessSandbox,
		DNS:                 &oci.DNSConfig{Nameservers: []string{e.network.DNS()}},
		DefaultCgroupParent: e.runtime.group.path,
		ResourceMonitor:     opt.ResourceMonitor,
	}, opt.NetworkProviders)
	if err != nil {
		return nil, fmt.Errorf("making the executor of builds: %w", err)
	}
	opt.Executor = &frontendOutput{Executor: containers, runs: e.runs}
	opt.RegistryHosts = e.buildHosts()
	opt.GCPolicy = gcPolicy(e.config.Root, e.config.MaxCache)
	w, err := base.NewWorker(ctx, opt)
	if err != nil {
		return nil, fmt.Errorf("opening the build cache: %w", err)
	}
	w.SourceManager.Register(&imageSource{runs: e.runs})
	if e.config.Downloads != nil {
		w.HTTPSource, err = httpsource.NewSource(httpsource.Opt{CacheAccessor: w.CacheMgr, Transport: e.config.Downloads})
		if err != nil {
			return nil, fmt.Errorf("opening what fetches downloads: %w", err)
		}
		w.SourceManager.Register(w.HTTPSource)
	}
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
