package buildkit_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit"
	"github.com/drydockhq/drydock/test/registry"
)

// retry makes a script try until a server that was just started answers.
func retry(command string) string {
	return "for i in $(seq 100); do " + command + " 2>/dev/null && exit; sleep 0.05; done; " + command
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	reg := newRegistry(t, registry.Options{}, "busybox", "curl", "web")
	e := newExecutor(t, buildkit.Config{})
	busybox, curl, web := reg.Host+"/busybox", reg.Host+"/curl", reg.Host+"/web"
	const page = "-- index.html --\nfrom the first run\n"
	r := openRun(t, e, page)

	server, _ := r.box("web", busybox, "httpd", "-f", "-h", "/workspace", "-p", "80")
	server.Ports = []string{"8080:80"}
	r.start(server)
	c, out := r.box("client", curl, "-sS", "--fail", "--retry-connrefused", "--retry", "20", "http://web/index.html")
	r.mustRun(c)
	wantEqual(t, "what web answers", out.String(), "from the first run\n")

	t.Run("SamePort", func(t *testing.T) {
		other, _ := r.box("web2", web)
		r.start(other)
		c, _ := r.box("client", curl, "-sS", "--fail", "--retry-connrefused", "--retry", "20", "http://web2/", "http://web/index.html")
		r.mustRun(c)
	})
	t.Run("Itself", func(t *testing.T) {
		c, out := r.box("selfish", busybox, "sh", "-c",
			"hostname; echo me >index.html; httpd -p 99 -h .; "+retry("wget -qO- http://selfish:99/index.html"))
		c.Dir = "/tmp/www"
		r.mustRun(c)
		wantEqual(t, "output", out.String(), "selfish\nme\n")
	})
	t.Run("Host", func(t *testing.T) {
		// The run's own namespace, where its ports are published.
		c, out := r.box("hosted", busybox, "sh", "-c", "wget -qO- http://127.0.0.1:8080/index.html; wget -qO- http://web/index.html")
		c.Network = "host"
		r.mustRun(c)
		wantEqual(t, "output", out.String(), "from the first run\nfrom the first run\n")
	})
	t.Run("None", func(t *testing.T) {
		c, out := r.box("lonely", busybox, "sh", "-c", "ls /sys/class/net; ping -c1 -W1 lonely >/dev/null")
		c.Network = "none"
		r.mustRun(c)
		if links := strings.Fields(out.String()); links[0] != "lo" || strings.Contains(out.String(), "eth0") {
			t.Errorf("links are %q, want lo alone", links)
		}
	})
	t.Run("UnknownNetwork", func(t *testing.T) {
		c, _ := r.box("lost", busybox, "true")
		c.Network = "nowhere"
		wantError(t, r.Run(t.Context(), c), drydock.Invalid, "nowhere")
	})
	t.Run("UnknownName", func(t *testing.T) {
		// Far less than the 5 s after which resolvers ask again.
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		c, _ := r.box("asker", busybox, "wget", "-qO-", "http://nobody-has-this-name/")
		wantExit(t, r.Run(ctx, c), 1)
	})
	t.Run("OtherRun", func(t *testing.T) {
		second := openRun(t, e, "-- index.html --\nfrom the second run\n")
		c, _ := second.box("client", busybox, "wget", "-qO-", "-T", "3", "http://web/index.html")
		if err := second.Run(t.Context(), c); err == nil {
			t.Error("one run found a step of another by its name")
		}
		ip := strings.TrimSpace(addressOf(t, r, busybox, "web"))
		c, _ = second.box("client", busybox, "wget", "-qO-", "-T", "2", "http://"+ip+"/index.html")
		if err := second.Run(t.Context(), c); err == nil {
			t.Error("one run reached a step of another by its address")
		}
		server, _ := second.box("web", busybox, "httpd", "-f", "-h", "/workspace", "-p", "80")
		server.Ports = []string{"8080:80"}
		second.start(server)
		c, out := second.box("client", curl, "-sS", "--fail", "--retry-connrefused", "--retry", "20", "http://web/index.html")
		second.mustRun(c)
		wantEqual(t, "what web answers in the second run", out.String(), "from the second run\n")
	})
}

// addressOf asks the name server of a run.
func addressOf(t *testing.T, r *testRun, busybox, name string) string {
	t.Helper()
	c, out := r.box("lookup", busybox, "sh", "-c", "ping -c1 "+name+" | sed -n 's/.*(\\([0-9.]*\\)).*/\\1/p' | head -n1")
	r.mustRun(c)
	if out.String() == "" {
		t.Fatalf("%s has no address", name)
	}
	return out.String()
}

// Steps of two networks of a run don't reach each other.
func TestDeclaredNetworks(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "-- index.html --\nhere\n", func(s *engine.RunSpec) {
		s.Networks = []drydock.Network{{Name: "front", Driver: "bridge", IsDefault: true}, {Name: "back", Driver: "bridge"}}
	})
	server, _ := r.box("web", busybox, "httpd", "-f", "-h", "/workspace", "-p", "80")
	server.Network = "back"
	r.start(server)
	c, out := r.box("client", busybox, "sh", "-c", retry("wget -qO- http://web/index.html"))
	c.Network = "back"
	r.mustRun(c)
	wantEqual(t, "output", out.String(), "here\n")
	c, _ = r.box("client", busybox, "wget", "-qO-", "-T", "2", "http://web/index.html")
	c.Network = "front"
	if err := r.Run(t.Context(), c); err == nil {
		t.Error("a step reached one of another network")
	}
}

// What listens on the loopback of this machine is out of reach, for steps and
// for RUN instructions.
func TestLoopbackOfTheHost(t *testing.T) {
	t.Parallel()
	r, busybox := newBox(t, "")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	// Every address that a container may know of the host.
	script := "for a in 127.0.0.1 $(ip route | awk '/default/ {print $3}') $(awk '/nameserver/ {print $2}' /etc/resolv.conf); do " +
		"nc -w 1 $a " + port + " </dev/null && echo reached $a; done; echo end"
	for _, network := range []string{drydock.DefaultNetwork, "host", "none"} {
		c, out := r.box("scan", busybox, "sh", "-c", script)
		c.Network = network
		r.mustRun(c)
		if strings.Contains(out.String(), "reached") {
			t.Errorf("network %s: %s", network, out)
		}
	}
	r.write("-- Dockerfile --\nFROM " + busybox + "\nRUN (" + script + ") >/out 2>&1\n")
	r.build("-t", "scan", ".")
	if out := r.run("scan", "cat /out"); strings.Contains(out, "reached") || !strings.Contains(out, "end") {
		t.Errorf("RUN: %s", out)
	}
}
