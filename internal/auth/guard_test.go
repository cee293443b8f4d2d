package auth

import (
	"fmt"
	"testing"
	"time"
)

// clock is a clock that tests move, and a guard by it.
type clock struct{ now time.Time }

func newTestGuard() (*clock, *guard) {
	c := &clock{time.Unix(1_700_000_000, 0)}
	return c, newGuard(func() time.Time { return c.now })
}

func TestGuardOfAccount(t *testing.T) {
	t.Parallel()
	c, g := newTestGuard()
	for i := range 9 {
		if g.failed("alice", "192.0.2.1"); g.wait("alice", "192.0.2.1") != 0 {
			t.Fatalf("locked after %d failures", i+1)
		}
	}
	g.succeeded("alice", "192.0.2.1")
	for range 10 {
		g.failed("alice", "192.0.2.1")
	}
	if wait := g.wait("alice", "192.0.2.1"); wait != time.Minute {
		t.Errorf("after ten failures: %v", wait)
	}
	for who, from := range map[string]string{"alice": "192.0.2.2", "bob": "192.0.2.1"} {
		if wait := g.wait(who, from); wait != 0 {
			t.Errorf("%s from %s waits %v", who, from, wait)
		}
	}
	// Each further failure locks for twice as long, up to a quarter of an hour.
	for _, want := range []time.Duration{2, 4, 8, 15, 15} {
		c.now = c.now.Add(g.wait("alice", "192.0.2.1"))
		if wait := g.wait("alice", "192.0.2.1"); wait > 0 {
			t.Fatalf("it goes on for %v", wait)
		}
		if g.failed("alice", "192.0.2.1"); g.wait("alice", "192.0.2.1") != want*time.Minute {
			t.Errorf("locked for %v, not %v", g.wait("alice", "192.0.2.1"), want*time.Minute)
		}
	}
	c.now = c.now.Add(2 * time.Hour)
	if g.failed("alice", "192.0.2.1"); g.wait("alice", "192.0.2.1") != 0 {
		t.Error("failures do not fade")
	}
}

func TestGuardOfManyPlaces(t *testing.T) {
	t.Parallel()
	_, g := newTestGuard()
	g.succeeded("alice", "198.51.100.7")
	for i := range 50 {
		g.failed("alice", fmt.Sprintf("203.0.113.%d", i))
	}
	if g.wait("alice", "203.0.113.99") == 0 {
		t.Error("fifty places may go on guessing")
	}
	if wait := g.wait("alice", "198.51.100.7"); wait != 0 {
		t.Errorf("where the right password was given, it waits %v", wait)
	}
	if wait := g.wait("bob", "203.0.113.99"); wait != 0 {
		t.Errorf("another account waits %v", wait)
	}
}

func TestGuardOfNetwork(t *testing.T) {
	t.Parallel()
	_, g := newTestGuard()
	for i := range 100 { // one password for many names, from one /64
		g.failed(fmt.Sprintf("user%d", i), fmt.Sprintf("2001:db8::%d", i))
	}
	if g.wait("alice", "2001:db8::ffff") == 0 {
		t.Error("a hundred names may be tried")
	}
	if wait := g.wait("alice", "2001:db8:0:1::1"); wait != 0 {
		t.Errorf("from elsewhere: %v", wait)
	}
}

func TestGuardStaysSmall(t *testing.T) {
	t.Parallel()
	c, g := newTestGuard()
	for i := range mostCounters + 5000 {
		if i%5000 == 0 {
			c.now = c.now.Add(50 * time.Minute)
		}
		g.failed(fmt.Sprint("user", i), fmt.Sprintf("10.%d.%d.1", i/250, i%250))
		g.succeeded(fmt.Sprint("user", i), "192.0.2.1")
	}
	if len(g.counters) > mostCounters || len(g.familiar) > mostCounters {
		t.Errorf("%d counters, %d familiar places", len(g.counters), len(g.familiar))
	}
}

// What takes the place of the hash of somebody who is not there is as slow.
func TestNobodysHash(t *testing.T) {
	t.Parallel()
	cost, salt, key, err := parseHash(nobodysHash)
	if err != nil || cost != (hashCost{hashMemory, hashTime, hashThreads}) || len(salt) != saltSize || len(key) != hashSize {
		t.Errorf("%+v, %d, %d: %v", cost, len(salt), len(key), err)
	}
}
