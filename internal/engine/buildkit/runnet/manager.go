package runnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
)

// Manager makes the networks of one process. Its methods may be called from
// several goroutines.
type Manager struct {
	cfg      Config
	owner    *owner
	host     *netlink.Handle
	mtu      int // of what is made; 0 means the kernel's default
	warnings []string
	upstream *upstream
	build    *BuildNetwork
	links    atomic.Uint32 // uplinks made so far

	mu      sync.Mutex
	closed  bool
	runs    map[*Run]struct{}
	opening sync.WaitGroup // counts runs that are being opened
}

// New makes the means ready and removes what killed processes left. It returns
// a *drydock.Error with code Unavailable where the machine lacks something.
func New(ctx context.Context, cfg Config) (*Manager, error) {
	host, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, unavailable(fmt.Errorf("opening a netlink socket: %w", err))
	}
	m, err := newManager(ctx, host, cfg)
	if err != nil {
		host.Close()
		return nil, unavailable(err)
	}
	return m, nil
}

func newManager(ctx context.Context, host *netlink.Handle, cfg Config) (*Manager, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	routes, err := readRoutes(host)
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.withDefaults(routes.foreign); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, host: host, mtu: routes.mtu(), runs: map[*Run]struct{}{}}
	m.build = &BuildNetwork{m: m}
	if m.upstream, err = newUpstream(cfg.Resolvers); err != nil {
		return nil, err
	}
	if m.warnings, err = warnings(); err != nil {
		return nil, err
	}
	if err := probe(cfg.Subnet); err != nil {
		return nil, err
	}
	return m, m.claim()
}

// claim sweeps, makes this process an owner and writes the host's table.
func (m *Manager) claim() (err error) {
	unlock, err := lockMachine(m.cfg.MachineDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := sweep(m.host, m.cfg.StateDir, m.cfg.Prefix); err != nil {
		return err
	}
	if m.owner, err = newOwner(m.cfg.MachineDir, m.cfg.StateDir, m.cfg.Prefix); err != nil {
		return err
	}
	table, err := hostTable(m.owner.name(), m.owner.links(), m.cfg.Uplinks)
	if err == nil {
		err = table.commit()
	}
	if err != nil {
		_, closeErr := m.owner.close()
		return errors.Join(err, closeErr)
	}
	return nil
}

// release undoes claim.
func (m *Manager) release() error {
	unlock, err := lockMachine(m.cfg.MachineDir)
	if err != nil {
		return err
	}
	defer unlock()
	err = errors.Join(deleteLinks(m.host, m.owner.links()), deleteTable(m.owner.name()))
	last, closeErr := m.owner.close()
	if err = errors.Join(err, closeErr); !last {
		return err
	}
	return errors.Join(err, restoreForwarding(m.cfg.MachineDir))
}

func warnings() (texts []string, err error) {
	chains, err := droppingChains()
	for _, c := range chains {
		texts = append(texts, fmt.Sprintf("nftables chain %q drops what it isn't told to forward; "+
			"steps reach the outside only if it accepts packets from links named %q, and their replies", c, "dd*"))
	}
	return texts, err
}

// Warnings says what on this machine may keep steps from reaching the outside,
// as it was when the manager was made.
func (m *Manager) Warnings() []string { return m.warnings }

// DNS returns the address of the name server, the same in all runs and builds.
func (m *Manager) DNS() string { return m.dns().String() }

// dns is the last but one address of the subnet, out of reach of its networks.
func (m *Manager) dns() netip.Addr {
	return nthAddr(m.cfg.Subnet, 1<<(32-m.cfg.Subnet.Bits())-2)
}

// Close closes all open runs and the build network, and removes what the
// manager made. It may be called again, and does nothing then.
func (m *Manager) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	m.opening.Wait() // no run joins from here on

	m.mu.Lock()
	var closing sync.WaitGroup
	errs := make([]error, len(m.runs))
	i := 0
	for r := range m.runs {
		slot := &errs[i]
		closing.Go(func() { *slot = r.Close() })
		i++
	}
	m.mu.Unlock()
	closing.Wait()
	errs = append(errs, m.release())
	m.host.Close()
	return errors.Join(errs...)
}

// open opens a run and keeps it for Close.
func (m *Manager) open(ctx context.Context, r *Run, networks []drydock.Network) error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return errors.New("the networks of this process are closed")
	}
	m.opening.Add(1)
	m.mu.Unlock()
	defer m.opening.Done()
	if err := r.open(ctx, networks); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.runs[r] = struct{}{}
	return nil
}

func (m *Manager) forget(r *Run) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.runs, r)
}

// unavailable says what the machine lacks, where the cause is one that is known.
func unavailable(err error) error {
	var de *drydock.Error
	if errors.As(err, &de) {
		return err
	}
	e := &drydock.Error{Code: drydock.Unavailable, Message: "this machine can't make networks for runs: " + err.Error(), Err: err}
	text := err.Error()
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Hint = "run as root, with the capabilities NET_ADMIN and SYS_ADMIN"
	case errors.Is(err, unix.EROFS):
		e.Hint = "in a container, /proc/sys and /run must be writable"
	case errors.Is(err, unix.ENOSPC) && strings.Contains(text, "network namespace"):
		e.Hint = "raise the sysctl user.max_net_namespaces"
	case strings.Contains(text, "nftables"):
		e.Hint = "the kernel needs nf_tables with nft_ct, nft_masq and nft_reject; load them with modprobe"
	case strings.Contains(text, "network namespace"):
		e.Hint = "the kernel needs CONFIG_NET_NS"
	case strings.Contains(text, "bridge"):
		e.Hint = "the kernel needs the module bridge; load it with modprobe"
	case strings.Contains(text, "veth"):
		e.Hint = "the kernel needs the module veth; load it with modprobe"
	}
	return e
}
