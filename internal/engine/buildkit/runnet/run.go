package runnet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// uplinkName is the run's end of the veth pair to the host.
const uplinkName = "uplink"

const ifaFlagNoDAD = unix.IFA_F_NODAD

// RunOptions are the options of OpenRun.
type RunOptions struct {
	// Publish opens the published ports on the machine, too.
	Publish bool
	// Hosts answer in the run's network, and nowhere else; nil for none.
	Hosts *drydock.RunHosts
}

// Run is the network of one run. Its methods may be called from several
// goroutines.
type Run struct {
	m        *Manager
	name     string // of its namespace
	publish  bool
	isolated bool
	public   netip.Addr // that reaches it from outside; mostly not valid
	bridges  []*bridge
	fallback *bridge

	ns    *namespace
	h     *netlink.Handle // into ns
	link  netlink.Link    // the host's end of the uplink; nil until it is made
	named bool            // ns has its name
	names *names
	dns   *dnsServer
	ports *portTable
	hosts *hostServer   // nil for none
	veths atomic.Uint32 // made so far

	mu          sync.Mutex
	closed      bool
	attachments map[*Attachment]struct{}
	attaching   sync.WaitGroup // counts Attach calls under way
	closeOnce   sync.Once
	closeErr    error
}

var runIDPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// OpenRun makes the network of a run. The id (letters, digits, "-" and "_", at
// most 100) must be unique among the open runs of the manager. Without networks
// the run has drydock.DefaultNetwork. The caller closes the run.
func (m *Manager) OpenRun(ctx context.Context, id string, networks []drydock.Network, opt RunOptions) (*Run, error) {
	if !runIDPattern.MatchString(id) {
		return nil, drydock.Errorf(drydock.Invalid, "run id %q is not 1 to 100 letters, digits, \"-\" and \"_\"", id)
	}
	r := &Run{m: m, name: m.owner.name() + "-" + id, publish: opt.Publish}
	if opt.Hosts != nil {
		r.hosts = newHostServer(opt.Hosts)
	}
	if err := m.open(ctx, r, networks); err != nil {
		return nil, fmt.Errorf("making the network of run %s: %w", id, err)
	}
	return r, nil
}

func (r *Run) open(ctx context.Context, networks []drydock.Network) (err error) {
	if r.bridges, r.fallback, err = planNetworks(r.m.cfg.Subnet, networks, r.isolated); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r.names, r.attachments = newNames(), map[*Attachment]struct{}{}
	r.ports = newPortTable(r)
	var socks *dnsSockets
	r.ns, err = newNamespace(func(ns *namespace, h *netlink.Handle) (err error) {
		socks, err = r.setup(ctx, h)
		return err
	})
	if err != nil {
		return errors.Join(err, r.hosts.close())
	}
	if err := r.connect(); err != nil {
		return errors.Join(err, socks.close(), r.hosts.close(), r.disconnect())
	}
	r.dns = &dnsServer{names: r.names, upstream: r.m.upstream, subnet: r.m.cfg.Subnet, network: r.networkOf, hosts: r.hosts}
	r.dns.start(socks)
	r.hosts.start()
	for _, b := range r.bridges {
		size := 0
		if b == r.fallback {
			size = r.m.cfg.Spares
		}
		b.spares = newPool(size, func() (*slot, error) { return r.newSlot(b) }, func(s *slot) error { return s.free() })
	}
	if !r.isolated { // the first build may be long in coming
		r.fallback.spares.start()
	}
	return nil
}

// setup fills the run's namespace, which the calling thread is in.
func (r *Run) setup(ctx context.Context, h *netlink.Handle) (*dnsSockets, error) {
	if err := sysctl("1", "ipv4/ip_forward"); err != nil {
		return nil, err
	}
	if err := disableIPv6(); err != nil {
		return nil, err
	}
	lo := &netlink.Device{LinkAttrs: netlink.LinkAttrs{Index: 1, Name: "lo"}}
	if err := addAddr(h, lo, netip.PrefixFrom(r.m.dns(), 32)); err != nil {
		return nil, err
	}
	if r.public.IsValid() {
		if err := addAddr(h, lo, netip.PrefixFrom(r.public, 32)); err != nil {
			return nil, err
		}
	}
	var talking []string // bridges whose containers may reach each other
	for _, b := range r.bridges {
		if err := b.create(h, r.m.mtu); err != nil {
			return nil, err
		}
		if !b.isolated {
			talking = append(talking, b.link)
		}
	}
	if err := runTable(r.m.cfg.Subnet, talking, r.public).commit(); err != nil {
		return nil, err
	}
	if err := r.hosts.listen(ctx, h, r.m.hosts()); err != nil {
		return nil, err
	}
	inside, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	socks, err := listenDNS(ctx, r.m.dns())
	if err != nil {
		inside.Close()
		return nil, err
	}
	r.h = inside
	return socks, nil
}

// networkOf returns the network that an address of the run is on, and "" for
// the run's own.
func (r *Run) networkOf(addr netip.Addr) string {
	for _, b := range r.bridges {
		if b.prefix.Contains(addr) && addr != b.gateway() {
			return b.network
		}
	}
	return ""
}

// HostPath names the run's own namespace, for containers with `network: host`.
// It is valid until the run is closed.
func (r *Run) HostPath() string { return namedDir + "/" + r.name }

// Close detaches all containers and removes all that the run has. It may be
// called again.
func (r *Run) Close() error {
	r.closeOnce.Do(func() {
		if err := r.close(); err != nil {
			r.closeErr = fmt.Errorf("removing network namespace %s: %w", r.name, err)
		}
	})
	return r.closeErr
}

func (r *Run) close() error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.attaching.Wait() // no container joins from here on

	r.mu.Lock()
	attachments := slices.Collect(maps.Keys(r.attachments))
	r.mu.Unlock()
	var errs []error
	for _, a := range attachments {
		errs = append(errs, a.Close())
	}
	for _, b := range r.bridges {
		errs = append(errs, b.spares.close())
	}
	errs = append(errs, r.hosts.close(), r.dns.close(), r.disconnect())
	r.m.forget(r)
	return errors.Join(errs...)
}

// disconnect undoes connect and drops the namespace.
func (r *Run) disconnect() error {
	var errs []error
	if r.link != nil {
		errs = append(errs, deleteLink(r.m.host, r.link))
	}
	if r.named {
		errs = append(errs, unpin(r.name))
	}
	return errors.Join(append(errs, r.dropNamespace())...)
}

// dropNamespace lets the kernel delete the namespace with all that is in it.
func (r *Run) dropNamespace() error {
	r.h.Close()
	return r.ns.Close()
}
