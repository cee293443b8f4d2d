package runnet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"github.com/vishvananda/netlink"
)

// Endpoint is a container to attach to a network of a run.
type Endpoint struct {
	Name    string   // its host name; unique on its network while attached
	Network string   // one of the run's, "host" or "none"; empty for the default one
	Aliases []string // further names; several containers may share one
	Ports   []string // to publish, as in `docker run -p`
}

// Attachment is the network of one container.
type Attachment struct {
	// NetNSPath names the container's network namespace for processes of this
	// machine. It is valid until Close.
	NetNSPath string
	// IP is the container's address, the one that its own name stands for in
	// its /etc/hosts: loopback on network "none", the run's own on "host".
	IP netip.Addr
	// IP6 is its IPv6 address; not valid on networks without IPv6.
	IP6 netip.Addr
	// Ports are the ports that were published.
	Ports []Published

	run   *Run
	slot  *slot // nil on "host"
	host  *host // nil where it has no name on a network
	ports *publication
	once  sync.Once
	err   error
}

// Attach makes the network of a container. The caller closes the attachment
// when the container has ended; closing the run does, too.
func (r *Run) Attach(ctx context.Context, e Endpoint) (*Attachment, error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, errClosed
	}
	r.attaching.Add(1)
	r.mu.Unlock()
	defer r.attaching.Done()

	a, err := r.attach(ctx, e)
	if err != nil {
		return nil, fmt.Errorf("attaching %s to its network: %w", e.Name, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attachments[a] = struct{}{}
	return a, nil
}

func (r *Run) attach(ctx context.Context, e Endpoint) (_ *Attachment, err error) {
	switch {
	case e.Network == "host" && !r.has(e.Network):
		return &Attachment{NetNSPath: r.HostPath(), IP: r.m.dns(), run: r}, nil
	case e.Network == "none" && !r.has(e.Network):
		return r.attachNone()
	}
	specs, err := parsePorts(e.Ports)
	if err != nil {
		return nil, err
	}
	if err := checkName(e.Name); err != nil && !r.isolated {
		return nil, err
	}
	b, err := findNetwork(r.bridges, r.fallback, e.Network)
	if err != nil {
		return nil, err
	}
	s, err := b.spares.get(ctx)
	if err != nil {
		return nil, err
	}
	a := &Attachment{NetNSPath: s.ns.path(), IP: s.addr, IP6: b.addr6(s.addr), run: r, slot: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if r.isolated {
		return a, nil // nobody may ask for it
	}
	h := &host{name: e.Name, network: b.network, addr: a.IP, addr6: a.IP6}
	if err := r.names.add(h, e.Aliases); err != nil {
		return nil, err
	}
	a.host = h
	if a.ports, err = r.ports.publish(ctx, e.Name, a.IP, specs); err != nil {
		return nil, err
	}
	a.Ports = a.ports.list
	return a, nil
}

func (r *Run) has(network string) bool {
	for _, b := range r.bridges {
		if b.network == network {
			return true
		}
	}
	return false
}

func (r *Run) attachNone() (*Attachment, error) {
	ns, err := newNamespace(func(*namespace, *netlink.Handle) error { return nil })
	if err != nil {
		return nil, err
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return &Attachment{NetNSPath: ns.path(), IP: loopback, run: r, slot: &slot{ns: ns}}, nil
}

// Close takes the container off its network. What still runs in its namespace
// keeps it until the run is closed. It may be called again.
func (a *Attachment) Close() error {
	a.once.Do(func() { a.err = a.close() })
	return a.err
}

func (a *Attachment) close() error {
	var errs []error
	if a.ports != nil {
		errs = append(errs, a.ports.close())
	}
	if a.host != nil {
		a.run.names.remove(a.host)
	}
	if a.slot != nil {
		errs = append(errs, a.slot.free())
	}
	a.run.mu.Lock()
	delete(a.run.attachments, a)
	a.run.mu.Unlock()
	return errors.Join(errs...)
}
