package runnet_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
)

// newManager returns a manager that is closed with the test.
func newManager(t testing.TB, change func(*runnet.Config)) *runnet.Manager {
	t.Helper()
	// Nobody listens there, so that what is asked of the outside fails at once.
	cfg := runnet.Config{Prefix: "ddtest", Resolvers: []string{"127.0.0.1:1"}}
	if change != nil {
		change(&cfg)
	}
	m, err := runnet.New(t.Context(), cfg)
	if err != nil {
		t.Fatalf("these tests need root and a kernel with namespaces, veth, bridges and nftables: %v", err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Errorf("closing the manager: %v", err)
		}
	})
	return m
}

func openRun(t testing.TB, m *runnet.Manager, id string, networks ...drydock.Network) *runnet.Run {
	t.Helper()
	return openRunWith(t, m, id, runnet.RunOptions{}, networks...)
}

func openRunWith(t testing.TB, m *runnet.Manager, id string, opt runnet.RunOptions, networks ...drydock.Network) *runnet.Run {
	t.Helper()
	r, err := m.OpenRun(t.Context(), id, networks, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("closing run %s: %v", id, err)
		}
	})
	return r
}

func attach(t testing.TB, r *runnet.Run, e runnet.Endpoint) *runnet.Attachment {
	t.Helper()
	a, err := r.Attach(context.Background(), e)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// inside calls f on a thread in the namespace at path; an empty path stands for
// the host's.
func inside(path string, f func() error) error {
	if path == "" {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends here
		for os.Getpid() == unix.Gettid() {
			// Not on the main thread, which never ends.
			go func() { done <- inside(path, f) }()
			runtime.UnlockOSThread()
			return
		}
		ns, err := netns.GetFromPath(path)
		if err != nil {
			done <- err
			return
		}
		defer ns.Close()
		if err := netns.Set(ns); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// serve answers connections to addr in a namespace with a text, until the test
// ends or stop is called.
func serve(t testing.TB, path, addr, text string) (stop func()) {
	t.Helper()
	var l net.Listener
	err := inside(path, func() (err error) {
		l, err = net.Listen("tcp", addr)
		return err
	})
	if err != nil {
		t.Fatalf("serving on %s: %v", addr, err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = fmt.Fprintf(c, "%s from %s", text, c.RemoteAddr())
			_ = c.Close()
		}
	}()
	stop = func() {
		_ = l.Close()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

// get connects to addr from within a namespace and returns what it is told.
func get(path, addr string) (string, error) { return getWithin(5*time.Second, path, addr) }

func getWithin(patience time.Duration, path, addr string) (string, error) {
	var text string
	err := inside(path, func() error {
		c, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		b, err := io.ReadAll(c)
		text = string(b)
		return err
	})
	return text, err
}

func wantText(t testing.TB, path, addr, want string) {
	t.Helper()
	got, err := get(path, addr)
	if err != nil {
		t.Errorf("connecting to %s: %v", addr, err)
	} else if !strings.HasPrefix(got, want) {
		t.Errorf("%s said %q, want %q", addr, got, want)
	}
}

func wantNothing(t testing.TB, path, addr string) {
	t.Helper()
	if got, err := getWithin(300*time.Millisecond, path, addr); err == nil {
		t.Errorf("%s is reachable and said %q", addr, got)
	}
}

// query asks the manager's name server from within a namespace.
func query(t testing.TB, m *runnet.Manager, path, network, name string, qtype uint16) *dns.Msg {
	t.Helper()
	var resp *dns.Msg
	err := inside(path, func() (err error) {
		c := &dns.Client{Net: network, Timeout: 5 * time.Second}
		resp, _, err = c.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype), net.JoinHostPort(m.DNS(), "53"))
		return err
	})
	if err != nil {
		t.Fatalf("asking for %s: %v", name, err)
	}
	return resp
}

// resolve returns the addresses that a name has for a container.
func resolve(t testing.TB, m *runnet.Manager, path, name string) []netip.Addr {
	t.Helper()
	var addrs []netip.Addr
	for _, rr := range query(t, m, path, "udp", name, dns.TypeA).Answer {
		if a, ok := rr.(*dns.A); ok {
			addr, _ := netip.AddrFromSlice(a.A.To4())
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// addrOf returns the IPv4 address of a link in a namespace.
func addrOf(t testing.TB, path, link string) netip.Addr {
	t.Helper()
	var addr netip.Addr
	err := inside(path, func() error {
		i, err := net.InterfaceByName(link)
		if err != nil {
			return err
		}
		addrs, err := i.Addrs()
		if err != nil {
			return err
		}
		addr = netip.MustParsePrefix(addrs[0].String()).Addr()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// linksOf returns the names of the links in a namespace.
func linksOf(t testing.TB, path string) []string {
	t.Helper()
	var names []string
	err := inside(path, func() error {
		links, err := net.Interfaces()
		for _, l := range links {
			names = append(names, l.Name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// newNamespace makes a namespace that stands for another machine. It lasts as
// long as the file; path names it.
func newNamespace(t testing.TB) (ns *os.File, path string) {
	t.Helper()
	err := inside("/proc/thread-self/ns/net", func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ns, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.Fd())
}
