package runnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/netutil"

	"github.com/drydockhq/drydock"
)

const (
	// answerTTL is short because an address of one step is soon another's.
	answerTTL = 1
	// maxForwards bounds the queries of one run that wait for the host's
	// resolvers, and maxDNSConns its open TCP connections.
	maxForwards = 128
	maxDNSConns = 32
)

// dnsSockets are what a server answers on.
type dnsSockets struct {
	udp net.PacketConn
	tcp net.Listener
}

// listenDNS opens the sockets in the namespace of the calling thread.
func listenDNS(ctx context.Context, addr netip.Addr) (*dnsSockets, error) {
	at := netip.AddrPortFrom(addr, 53).String()
	var lc net.ListenConfig
	udp, err := lc.ListenPacket(ctx, "udp4", at)
	if err != nil {
		return nil, fmt.Errorf("opening the DNS server of a run: %w", err)
	}
	tcp, err := lc.Listen(ctx, "tcp4", at)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the DNS server of a run: %w", err), udp.Close())
	}
	return &dnsSockets{udp, netutil.LimitListener(tcp, maxDNSConns)}, nil
}

// close closes sockets that no server was started on.
func (s *dnsSockets) close() error { return errors.Join(s.udp.Close(), s.tcp.Close()) }

// dnsServer is the name server of a run.
type dnsServer struct {
	names    *names
	upstream *upstream
	subnet   netip.Prefix                  // reverse lookups in it are never forwarded
	network  func(asker netip.Addr) string // name of the asker's network; empty sees all
	hosts    *hostServer                   // nil for none

	ctx      context.Context // ends with the server
	cancel   context.CancelCauseFunc
	forwards chan struct{}
	servers  []*dns.Server
	wg       sync.WaitGroup
}

// start serves until close; it owns the sockets from now on.
func (s *dnsServer) start(socks *dnsSockets) {
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.forwards = make(chan struct{}, maxForwards)
	s.servers = []*dns.Server{
		{PacketConn: socks.udp, Handler: s},
		{Listener: socks.tcp, Handler: s, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second},
	}
	for _, server := range s.servers {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.wg.Go(func() { _ = server.ActivateAndServe() }) // ends with Shutdown
		<-started
	}
}

// close stops the server and waits until what it answers has been answered.
func (s *dnsServer) close() error {
	s.cancel(errors.New("the run is over"))
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Shutdown())
	}
	s.wg.Wait()
	return errors.Join(errs...)
}

// ServeDNS answers one query.
func (s *dnsServer) ServeDNS(w dns.ResponseWriter, req *dns.Msg) {
	resp := s.answer(w, req)
	_ = w.WriteMsg(resp) // the asker has gone, or asks again
}

func (s *dnsServer) answer(w dns.ResponseWriter, req *dns.Msg) *dns.Msg {
	if req.Opcode != dns.OpcodeQuery {
		return new(dns.Msg).SetRcode(req, dns.RcodeNotImplemented)
	}
	if len(req.Question) != 1 {
		return new(dns.Msg).SetRcode(req, dns.RcodeFormatError)
	}
	network := s.network(remoteIP(w))
	if resp := s.local(req, network); resp != nil {
		return resp
	}
	return s.forward(w, req)
}

// local answers what is about the run's containers, and returns nil for the rest.
func (s *dnsServer) local(req *dns.Msg, network string) *dns.Msg {
	q := req.Question[0]
	if q.Qclass != dns.ClassINET {
		return nil
	}
	if q.Qtype == dns.TypePTR {
		return s.pointer(req, network)
	}
	_, search := s.upstream.config()
	hosts, known := s.names.lookup(q.Name, network, search)
	if !known {
		hosts = s.hosts.lookup(q.Name)
		known = hosts != nil
	}
	if !known {
		return nil
	}
	resp := new(dns.Msg).SetReply(req)
	resp.Authoritative, resp.RecursionAvailable = true, true
	if len(hosts) == 0 { // on another network
		resp.Rcode = dns.RcodeNameError
		return resp
	}
	for _, h := range hosts {
		if rr := record(q, h); rr != nil {
			resp.Answer = append(resp.Answer, rr)
		}
	}
	return resp
}

func record(q dns.Question, h *host) dns.RR {
	hdr := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: answerTTL}
	switch {
	case q.Qtype == dns.TypeA:
		return &dns.A{Hdr: hdr, A: h.addr.AsSlice()}
	case q.Qtype == dns.TypeAAAA && h.addr6.IsValid():
		return &dns.AAAA{Hdr: hdr, AAAA: h.addr6.AsSlice()}
	}
	return nil
}

// pointer answers a reverse lookup in the run's subnet.
func (s *dnsServer) pointer(req *dns.Msg, network string) *dns.Msg {
	q := req.Question[0]
	addr, ok := reverseAddr(q.Name)
	if !ok || !s.subnet.Contains(addr) {
		return nil
	}
	resp := new(dns.Msg).SetReply(req)
	resp.Authoritative, resp.RecursionAvailable = true, true
	h := s.names.reverse(addr, network)
	if h == nil {
		resp.Rcode = dns.RcodeNameError
		return resp
	}
	hdr := dns.RR_Header{Name: q.Name, Rrtype: dns.TypePTR, Class: dns.ClassINET, Ttl: answerTTL}
	resp.Answer = []dns.RR{&dns.PTR{Hdr: hdr, Ptr: dns.Fqdn(h.name)}}
	return resp
}

// reverseAddr returns the IPv4 address that a name under in-addr.arpa is about.
func reverseAddr(name string) (netip.Addr, bool) {
	rest, ok := strings.CutSuffix(fold(name), ".in-addr.arpa")
	parts := strings.Split(rest, ".")
	if !ok || len(parts) != 4 {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(parts[3] + "." + parts[2] + "." + parts[1] + "." + parts[0])
	return addr, err == nil
}

func (s *dnsServer) forward(w dns.ResponseWriter, req *dns.Msg) *dns.Msg {
	select {
	case s.forwards <- struct{}{}:
		defer func() { <-s.forwards }()
	default:
		return new(dns.Msg).SetRcode(req, dns.RcodeServerFailure)
	}
	network := w.RemoteAddr().Network()
	resp, err := s.upstream.exchange(s.ctx, network, req)
	if err != nil {
		return new(dns.Msg).SetRcode(req, dns.RcodeServerFailure)
	}
	if network == "udp" {
		size := dns.MinMsgSize
		if opt := req.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		resp.Truncate(size)
	}
	return resp
}

func remoteIP(w dns.ResponseWriter) netip.Addr {
	ap, err := netip.ParseAddrPort(w.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// checkName refuses what can't be a label sequence of a host name in DNS.
func checkName(name string) error {
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		return drydock.Errorf(drydock.Invalid, "container name %q can't be a host name", name)
	}
	return nil
}
