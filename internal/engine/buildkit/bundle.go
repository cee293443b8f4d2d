package buildkit

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/executor"
	"github.com/moby/buildkit/executor/oci"
	resources "github.com/moby/buildkit/executor/resources/types"
	"github.com/moby/buildkit/solver/pb"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/drydockhq/drydock"
)

// writeBundle writes the container's config.json and what it refers to.
func (c *container) writeBundle(ctx context.Context) error {
	hosts := filepath.Join(c.bundle, "hosts")
	if err := os.WriteFile(hosts, []byte(c.hostsFile()), 0o644); err != nil {
		return fmt.Errorf("writing the container's hosts file: %w", err)
	}
	if err := c.writeTrust(); err != nil {
		return err
	}
	spec, err := c.spec(ctx, hosts)
	if err != nil {
		return err
	}
	data, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("writing the container's config: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.bundle, "config.json"), data, 0o600); err != nil {
		return fmt.Errorf("writing the container's config: %w", err)
	}
	return nil
}

func (c *container) hostsFile() string {
	var b strings.Builder
	b.WriteString("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n")
	addr := netip.MustParseAddr("127.0.0.1")
	if c.network != nil {
		addr = c.network.IP
	}
	fmt.Fprintf(&b, "%s\t%s\n", addr, c.Name)
	return b.String()
}

// spec returns the container's OCI configuration: BuildKit's own defaults, with
// the run's folders, network and limits.
func (c *container) spec(ctx context.Context, hosts string) (*specs.Spec, error) {
	args, err := c.args()
	if err != nil {
		return nil, err
	}
	rootfs := c.rootfs()
	user := c.User
	if user == "" {
		user = c.config.Config.User
	}
	uid, gid, groups, err := oci.GetUser(rootfs, user)
	if err != nil {
		return nil, drydock.Errorf(drydock.Failed, "finding user %q in image %s: %w", user, c.Image, err)
	}
	meta := executor.Meta{Args: args, Env: c.env(), Cwd: c.workingDir(), Hostname: c.Name}
	if c.Privileged {
		meta.SecurityMode = pb.SecurityMode_INSECURE
	}
	if meta.LinuxResources, err = c.resources(); err != nil {
		return nil, err
	}
	spec, cleanup, err := oci.GenerateSpec(ctx, meta, nil, c.id, c.session.executor.runtime.resolv, hosts,
		specNamespace{c.join}, "", oci.ProcessSandbox, nil, "", false, "", nil, oci.WithUIDGID(uid, gid, groups))
	if err != nil {
		return nil, fmt.Errorf("making the container's config: %w", err)
	}
	cleanup()
	spec.Root.Path = rootfs
	spec.Root.Readonly = false
	spec.Linux.CgroupsPath = c.group.path
	mounts, err := c.mounts()
	if err != nil {
		return nil, err
	}
	spec.Mounts = append(spec.Mounts, mounts...)
	return spec, nil
}

// resources returns the step's own limits, within those of the run.
func (c *container) resources() (*pb.LinuxResources, error) {
	if c.CPUs == "" {
		return nil, nil
	}
	cpus, err := strconv.ParseFloat(c.CPUs, 64)
	if err != nil || !(cpus > 0 && cpus < math.MaxInt32) {
		return nil, drydock.Errorf(drydock.Invalid, "cpus: %q is not a number of CPUs", c.CPUs).WithHint("for example 0.5")
	}
	return &pb.LinuxResources{CpuPeriod: cpuPeriod, CpuQuota: cpuQuota(cpus)}, nil
}

// mounts returns the folders that the run's containers share.
func (c *container) mounts() ([]specs.Mount, error) {
	w := c.session.workspace
	bind := func(source, target string) specs.Mount {
		return specs.Mount{Destination: target, Type: "bind", Source: source, Options: []string{"rbind", "rprivate", "nosuid", "nodev"}}
	}
	mounts := slices.Concat([]specs.Mount{bind(w.dir, workspaceDir), bind(w.home, homeDir)}, c.files.mounts, c.trustMounts())
	for _, m := range c.Mounts {
		dir, err := w.volumeDir(m.Name)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, bind(dir, m.MountPath))
	}
	return mounts, nil
}

// joinNetwork sets the network namespace of a container; an empty path is a new
// one with nothing but loopback.
func joinNetwork(spec *specs.Spec, path string) {
	var kept []specs.LinuxNamespace
	for _, ns := range spec.Linux.Namespaces {
		if ns.Type != specs.NetworkNamespace {
			kept = append(kept, ns)
		}
	}
	spec.Linux.Namespaces = append(kept, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: path})
}

// specNamespace is a network that is joined elsewhere.
type specNamespace struct{ set func(*specs.Spec) }

// Set implements network.Namespace.
func (n specNamespace) Set(spec *specs.Spec) error {
	n.set(spec)
	return nil
}

// Sample implements network.Namespace.
func (specNamespace) Sample() (*resources.NetworkSample, error) { return nil, nil }

// Close implements network.Namespace.
func (specNamespace) Close() error { return nil }
