package runnet

import (
	"net/netip"
	"testing"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	n := newNames()
	web := &host{name: "web", network: "front", addr: netip.MustParseAddr("10.0.0.2")}
	twin := &host{name: "twin", network: "front", addr: netip.MustParseAddr("10.0.0.3")}
	for _, h := range []*host{web, twin} {
		if err := n.add(h, []string{"Shared"}); err != nil {
			t.Fatal(err)
		}
	}
	search := []string{"corp.example", "Example.ORG."}
	for _, c := range []struct {
		name, network string
		want          int
		known         bool
	}{
		{"web", "front", 1, true},
		{"WEB.", "front", 1, true},
		{"web.front", "front", 1, true},
		{"web.corp.example.", "front", 1, true},
		{"web.example.org", "front", 1, true},
		{"web.front.corp.example", "front", 1, true},
		{"web.example.com", "front", 0, false},
		{"xweb", "front", 0, false},
		{"shared", "front", 2, true},
		{"web", "back", 0, true},
		{"web", "", 1, true},
		{".", "front", 0, false},
	} {
		got, known := n.lookup(c.name, c.network, search)
		if len(got) != c.want || known != c.known {
			t.Errorf("lookup(%q, %q) found %d, %v; want %d, %v", c.name, c.network, len(got), known, c.want, c.known)
		}
	}
	n.remove(web)
	if got, _ := n.lookup("shared", "front", nil); len(got) != 1 || got[0] != twin {
		t.Errorf("after one of two was removed, the shared name is of %v", got)
	}
	n.remove(twin)
	if len(n.byName) != 0 || len(n.byAddr) != 0 {
		t.Errorf("something is left: %v %v", n.byName, n.byAddr)
	}
}
