package runnet

import (
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/drydockhq/drydock"
)

// names are the containers of a run by the names that its DNS server answers.
type names struct {
	mu     sync.RWMutex
	byName map[string][]*host // by lower-case name without a final dot
	byAddr map[netip.Addr]*host
}

// host is what is known of an address of a container.
type host struct {
	name    string
	network string
	addr    netip.Addr
	addr6   netip.Addr // not valid where the network has no IPv6
}

func newNames() *names {
	return &names{byName: map[string][]*host{}, byAddr: map[netip.Addr]*host{}}
}

// add makes h known under its own name, which must be free on its network, and
// under aliases, which may be shared.
func (n *names) add(h *host, aliases []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, other := range n.byName[fold(h.name)] {
		if other.network == h.network && fold(other.name) == fold(h.name) {
			return drydock.Errorf(drydock.Invalid, "a container named %q is already on network %q", h.name, h.network)
		}
	}
	for _, name := range append([]string{h.name}, aliases...) {
		for _, key := range []string{fold(name), fold(name) + "." + fold(h.network)} {
			if !slices.Contains(n.byName[key], h) {
				n.byName[key] = append(n.byName[key], h)
			}
		}
	}
	n.byAddr[h.addr] = h
	if h.addr6.IsValid() {
		n.byAddr[h.addr6] = h
	}
	return nil
}

func (n *names) remove(h *host) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, hosts := range n.byName {
		hosts = slices.DeleteFunc(hosts, func(o *host) bool { return o == h })
		if len(hosts) == 0 {
			delete(n.byName, key)
		} else {
			n.byName[key] = hosts
		}
	}
	delete(n.byAddr, h.addr)
	delete(n.byAddr, h.addr6)
}

// lookup returns the containers called name that share the network of the
// asker, all of them for the empty network, and whether the name is known at
// all. A name may end in one of the domains of the search list, which resolvers
// try first.
func (n *names) lookup(name, network string, search []string) (hosts []*host, known bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	name = fold(name)
	found := n.byName[name]
	for _, domain := range search {
		if found != nil {
			break
		}
		if short, ok := strings.CutSuffix(name, "."+fold(domain)); ok {
			found = n.byName[short]
		}
	}
	for _, h := range found {
		if network == "" || h.network == network {
			hosts = append(hosts, h)
		}
	}
	return hosts, found != nil
}

// reverse returns the container that has an address and shares the network of
// the asker, or nil.
func (n *names) reverse(addr netip.Addr, network string) *host {
	n.mu.RLock()
	defer n.mu.RUnlock()
	h := n.byAddr[addr]
	if h == nil || network != "" && h.network != network {
		return nil
	}
	return h
}

func fold(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
