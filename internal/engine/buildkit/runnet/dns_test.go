package runnet_test

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// upstream serves names on the host's loopback and returns its address.
func upstream(t testing.TB, answer func(w dns.ResponseWriter, req *dns.Msg)) string {
	t.Helper()
	udp, tcp := listenBoth(t)
	for _, s := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		started, done := make(chan struct{}), make(chan struct{})
		s.Handler = dns.HandlerFunc(answer)
		s.NotifyStartedFunc = func() { close(started) }
		go func() {
			defer close(done)
			_ = s.ActivateAndServe()
		}()
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			<-done
		})
	}
	return udp.LocalAddr().String()
}

// listenBoth listens on one port over UDP and TCP. A port that is free for the
// one may be taken for the other.
func listenBoth(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	const attempts = 20
	var failed error
	for range attempts {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		tcp, err := net.Listen("tcp4", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp
		}
		failed = err
		udp.Close()
	}
	t.Fatal(failed)
	return nil, nil
}

func reply(rcode int, rrs ...string) func(dns.ResponseWriter, *dns.Msg) {
	return func(w dns.ResponseWriter, req *dns.Msg) {
		resp := new(dns.Msg).SetRcode(req, rcode)
		for _, s := range rrs {
			rr, err := dns.NewRR(s)
			if err != nil {
				panic(err)
			}
			resp.Answer = append(resp.Answer, rr)
		}
		_ = w.WriteMsg(resp)
	}
}

func TestOtherNamesAreForwarded(t *testing.T) {
	t.Parallel()
	broken := upstream(t, reply(dns.RcodeServerFailure))
	good := upstream(t, func(w dns.ResponseWriter, req *dns.Msg) {
		switch req.Question[0].Name {
		case "example.com.":
			reply(dns.RcodeSuccess, "example.com. 60 IN A 203.0.113.7")(w, req)
		case "long.example.com.":
			var rrs []string
			for range 20 {
				rrs = append(rrs, `long.example.com. 60 IN TXT "`+strings.Repeat("x", 100)+`"`)
			}
			reply(dns.RcodeSuccess, rrs...)(w, req)
		default:
			reply(dns.RcodeNameError)(w, req)
		}
	})
	m := newManager(t, func(c *runnet.Config) { c.Resolvers = []string{broken, good} })
	r := openRun(t, m, "forward")
	step := attach(t, r, runnet.Endpoint{Name: "step"})
	build, err := m.BuildNetwork().Attach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{step.NetNSPath, build.NetNSPath, r.HostPath()} {
		if got := resolve(t, m, path, "example.com"); len(got) != 1 || got[0].String() != "203.0.113.7" {
			t.Errorf("example.com is %v, want 203.0.113.7", got)
		}
	}
	if resp := query(t, m, step.NetNSPath, "udp", "nothing.example.com", dns.TypeA); resp.Rcode != dns.RcodeNameError {
		t.Errorf("the answer for a name that there isn't is %v, want NXDOMAIN", resp)
	}
	if resp := query(t, m, step.NetNSPath, "udp", "long.example.com", dns.TypeTXT); !resp.Truncated {
		t.Errorf("a long answer over UDP is not marked as truncated: %v", resp)
	}
	if resp := query(t, m, step.NetNSPath, "tcp", "long.example.com", dns.TypeTXT); len(resp.Answer) != 20 {
		t.Errorf("a long answer over TCP has %d records, want 20", len(resp.Answer))
	}
}

func TestReverseNames(t *testing.T) {
	t.Parallel()
	m := newManager(t, func(c *runnet.Config) { c.Resolvers = []string{"127.0.0.1:1"} })
	r := openRun(t, m, "reverse")
	web := attach(t, r, runnet.Endpoint{Name: "web"})
	for addr, want := range map[string]string{web.IP.String(): "web.", web.IP.Next().Next().Next().String(): ""} {
		name, err := dns.ReverseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		resp := query(t, m, web.NetNSPath, "udp", name, dns.TypePTR)
		switch {
		case want == "" && resp.Rcode != dns.RcodeNameError:
			t.Errorf("the name of %s is %v, want NXDOMAIN", addr, resp)
		case want != "" && (len(resp.Answer) != 1 || resp.Answer[0].(*dns.PTR).Ptr != want):
			t.Errorf("the name of %s is %v, want %s", addr, resp.Answer, want)
		}
	}
}

func TestNoResolverAnswers(t *testing.T) {
	t.Parallel()
	m := newManager(t, func(c *runnet.Config) { c.Resolvers = []string{"127.0.0.1:1"} })
	r := openRun(t, m, "silent")
	if resp := query(t, m, r.HostPath(), "udp", "example.com", dns.TypeA); resp.Rcode != dns.RcodeServerFailure {
		t.Errorf("the answer is %v, want SERVFAIL", resp)
	}
	if _, err := runnet.New(t.Context(), runnet.Config{Prefix: "ddtest", Resolvers: []string{"dns.example.com"}}); err == nil {
		t.Error("a resolver that is a name was taken")
	}
}
