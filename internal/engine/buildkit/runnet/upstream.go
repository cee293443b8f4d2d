package runnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/drydockhq/drydock"
)

const resolvConf = "/etc/resolv.conf"

// perTry is how long one resolver may take before the next is asked; programs
// give up after 5 seconds by default.
const perTry = 2 * time.Second

// upstream asks the host's resolvers, from the host's own network namespace.
type upstream struct {
	fixed []string // host:port; nil to follow resolvConf

	mu      sync.Mutex
	read    time.Time // modification time of what servers and search are from
	servers []string
	search  []string
}

func newUpstream(resolvers []string) (*upstream, error) {
	u := &upstream{}
	for _, r := range resolvers {
		server, err := serverAddress(r)
		if err != nil {
			return nil, err
		}
		u.fixed = append(u.fixed, server)
	}
	return u, nil
}

func serverAddress(r string) (string, error) {
	if addr, err := netip.ParseAddr(r); err == nil {
		return netip.AddrPortFrom(addr, 53).String(), nil
	}
	if ap, err := netip.ParseAddrPort(r); err == nil {
		return ap.String(), nil
	}
	return "", drydock.Errorf(drydock.Invalid, "resolver %q is not an IP address, or one with a port", r)
}

// config returns the servers to ask, and the host's search list.
func (u *upstream) config() (servers, search []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if fi, err := os.Stat(resolvConf); err == nil && !fi.ModTime().Equal(u.read) {
		if c, err := dns.ClientConfigFromFile(resolvConf); err == nil {
			u.read, u.search, u.servers = fi.ModTime(), c.Search, nil
			for _, s := range c.Servers {
				u.servers = append(u.servers, net.JoinHostPort(s, c.Port))
			}
		}
	}
	if u.fixed != nil {
		return u.fixed, u.search
	}
	return u.servers, u.search
}

// exchange asks the resolvers one after the other over network, "udp" or "tcp",
// until one knows.
func (u *upstream) exchange(ctx context.Context, network string, req *dns.Msg) (*dns.Msg, error) {
	servers, _ := u.config()
	err := errors.New("the host has no resolvers")
	var last *dns.Msg
	for _, server := range servers {
		resp, e := u.ask(ctx, network, server, req)
		if e != nil {
			err = fmt.Errorf("asking resolver %s: %w", server, e)
			continue
		}
		if last = resp; resp.Rcode != dns.RcodeServerFailure && resp.Rcode != dns.RcodeRefused {
			break
		}
	}
	if last == nil {
		return nil, err
	}
	return last, nil
}

func (u *upstream) ask(ctx context.Context, network, server string, req *dns.Msg) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, perTry)
	defer cancel()
	// An id of our own: a container may send one that others can guess.
	q := req.Copy()
	q.Id = dns.Id()
	client := &dns.Client{Net: network, Timeout: perTry, UDPSize: 4096}
	resp, _, err := client.ExchangeContext(ctx, q, server)
	if err != nil {
		return nil, err
	}
	resp.Id = req.Id
	return resp, nil
}
