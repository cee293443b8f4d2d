package serve_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/vishvananda/netns"

	"github.com/drydockhq/drydock/test/serve"
)

// outsider is another machine, a network namespace, that answers for hosts of the
// internet on the ports 80 and 443: with "outside", the host and the path.
type outsider struct {
	*otherMachine
	address netip.Addr
}

// newOutsider starts one in a network of its own. The number, below 100, is one that
// no other test of this package has.
func newOutsider(t *testing.T, number int) *outsider {
	t.Helper()
	id := os.Getpid() % 200
	lan := netip.MustParsePrefix(fmt.Sprintf("10.%d.%d.0/24", 150+number, id))
	o := &outsider{newMachine(t, 1000*(number+1)+id, lan), lan.Addr().Next().Next()}
	o.route("default")
	for _, port := range []uint16{80, 443} {
		s := &httptest.Server{Listener: o.listen(port), Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "outside %s%s\n", r.Host, r.URL.Path)
		})}}
		if port == 443 {
			s.StartTLS()
		} else {
			s.Start()
		}
		t.Cleanup(s.Close)
	}
	return o
}

// listen opens a port of the machine.
func (o *outsider) listen(port uint16) net.Listener {
	o.t.Helper()
	type opened struct {
		net.Listener
		error
	}
	done := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		l, err := o.open(port)
		done <- opened{l, err}
	}()
	l := <-done
	if l.error != nil {
		o.t.Fatal(l.error)
	}
	return l.Listener
}

// open moves the thread into the machine.
func (o *outsider) open(port uint16) (net.Listener, error) {
	there, err := netns.GetFromName(o.name)
	if err != nil {
		return nil, err
	}
	defer there.Close()
	if err := netns.Set(there); err != nil {
		return nil, err
	}
	return net.Listen("tcp", netip.AddrPortFrom(o.address, port).String())
}

// named gives a machine, and the runs on it, a resolver that says that hosts are this
// one; it knows no others.
func (o *outsider) named(machine *serve.Machine, hosts ...string) {
	o.t.Helper()
	l, err := net.ListenPacket("udp", fmt.Sprintf("127.78.%d.%d:53", o.address.As4()[1], o.address.As4()[2]))
	if err != nil {
		o.t.Fatal(err)
	}
	started, ended := make(chan struct{}), make(chan error, 1)
	resolver := &dns.Server{PacketConn: l, NotifyStartedFunc: func() { close(started) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		_ = w.WriteMsg(o.answer(r, hosts)) // who has gone needs none
	})}
	go func() { ended <- resolver.ActivateAndServe() }()
	<-started
	o.t.Cleanup(func() {
		if err := resolver.Shutdown(); err != nil {
			o.t.Error(err)
		}
		<-ended
	})
	file := machine.Path("/etc/resolv.conf")
	if err = os.RemoveAll(file); err == nil { // it may be a link
		err = os.WriteFile(file, []byte("nameserver "+l.LocalAddr().(*net.UDPAddr).IP.String()+"\n"), 0o644)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *outsider) answer(r *dns.Msg, hosts []string) *dns.Msg {
	q := r.Question[0]
	for _, host := range hosts {
		if !strings.EqualFold(q.Name, host+".") {
			continue
		}
		answer := new(dns.Msg).SetReply(r)
		if q.Qtype == dns.TypeA {
			answer.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET}, A: o.address.AsSlice()}}
		}
		return answer
	}
	return new(dns.Msg).SetRcode(r, dns.RcodeNameError)
}
