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
	links    atomic.Uint32 // uplinks made so far

	mu     sync.Mutex
	closed bool
	runs   map[*Run]struct{}
	build  *Run
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

func newManager(ctx context.Context, host *netlink.Handle, cfg Config) (_ *Manager, err error) {
	routes, err := readRoutes(host)
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.withDefaults(routes.foreign); err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, host: host, mtu: routes.mtu(), runs: map[*Run]struct{}{}}
	if m.upstream, err = newUpstream(cfg.Resolvers); err != nil {
		return nil, err
	}
	if err := m.claim(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.release())
		}
	}()
	// The build network uses all that a run's does: it is the proof that this
	// machine can do it.
	if m.build, err = m.openBuildNetwork(ctx); err != nil {
		return nil, err
	}
	return m, m.warn()
}

// claim sweeps, makes this process an owner and writes the host's table.
func (m *Manager) claim() (err error) {
	unlock, err := lockMachine(m.cfg.StateDir)
	if err != nil {
		return err
	}
	defer unlock()
	if err := sweep(m.host, m.cfg.StateDir, m.cfg.Prefix); err != nil {
		return err
	}
	if m.owner, err = newOwner(m.cfg.StateDir, m.cfg.Prefix); err != nil {
		return err
	}
	if err := hostTable(m.owner.name(), m.owner.links(), m.cfg.Uplinks).commit(); err != nil {
		return errors.Join(err, m.owner.close())
	}
	return nil
}

// release undoes claim.
func (m *Manager) release() error {
	unlock, err := lockMachine(m.cfg.StateDir)
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(
		deleteLinks(m.host, m.owner.links()),
		deleteTable(m.owner.name()),
		m.owner.close(),
		restoreForwarding(m.cfg.StateDir),
	)
}

func (m *Manager) warn() error {
	chains, err := droppingChains()
	for _, c := range chains {
		m.warnings = append(m.warnings, fmt.Sprintf("nftables chain %q drops what it isn't told to forward; "+
			"steps reach the outside only if it accepts packets from links named %q, and their replies", c, "dd*"))
	}
	return err
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
// manager made. It may be called again.
func (m *Manager) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	runs := make([]*Run, 0, len(m.runs))
	for r := range m.runs {
		runs = append(runs, r)
	}
	m.mu.Unlock()

	var errs []error
	for _, r := range runs {
		errs = append(errs, r.Close())
	}
	errs = append(errs, m.release())
	m.host.Close()
	return errors.Join(errs...)
}

// register adds a run to those that Close closes.
func (m *Manager) register(r *Run) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errors.New("the networks of this process are closed")
	}
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
