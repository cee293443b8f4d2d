package auth

import (
	"net/netip"
	"sync"
	"time"
)

// What a guard lets pass. An account is locked for the network that its wrong
// passwords come from, so that nobody can lock others out; attempts from many
// networks lock it for all but those where the right one was given before.
const (
	failuresOfPair    = 10  // of one account from one network
	failuresOfAccount = 50  // of one account from all unfamiliar networks
	failuresOfNetwork = 100 // of all accounts from one network
	firstLock         = time.Minute
	longestLock       = 15 * time.Minute
	failuresFade      = time.Hour // without another one
	mostCounters      = 20_000
	familiarFor       = 30 * 24 * time.Hour
)

// guard slows down those who guess passwords. Its methods may be called from
// several goroutines.
type guard struct {
	now func() time.Time

	mu       sync.Mutex
	counters map[guardKey]*counter
	familiar map[guardKey]time.Time // when the right password was last given
}

// guardKey is an account, a network, or both.
type guardKey struct{ account, network string }

// counter counts failures.
type counter struct {
	failures int
	locks    int // how often it was locked
	until    time.Time
	last     time.Time
}

func newGuard(now func() time.Time) *guard {
	return &guard{now: now, counters: map[guardKey]*counter{}, familiar: map[guardKey]time.Time{}}
}

// networkOf is what guesses come from: a machine may have a whole /64 of IPv6.
func networkOf(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	bits := 32
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked().String()
}

// limits are the counters that an attempt is counted by, with what they bear.
func (g *guard) limits(account, network string) map[guardKey]int {
	limits := map[guardKey]int{{account, network}: failuresOfPair, {"", network}: failuresOfNetwork}
	if g.now().Sub(g.familiar[guardKey{account, network}]) > familiarFor {
		limits[guardKey{account, ""}] = failuresOfAccount
	}
	return limits
}

// wait returns for how long an account can't be signed in to from an address.
func (g *guard) wait(account, address string) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var longest time.Duration
	for key := range g.limits(account, networkOf(address)) {
		if c := g.counters[key]; c != nil {
			longest = max(longest, c.until.Sub(g.now()))
		}
	}
	return longest
}

// failed notes a wrong password.
func (g *guard) failed(account, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for key, limit := range g.limits(account, networkOf(address)) {
		c := g.counters[key]
		if c == nil || now.Sub(c.last) > failuresFade {
			g.room(now)
			c = &counter{}
			g.counters[key] = c
		}
		c.last = now
		if c.failures++; c.failures >= limit {
			c.until = now.Add(min(firstLock<<min(c.locks, 8), longestLock))
			c.failures, c.locks = limit-1, c.locks+1 // the next one locks again
		}
	}
}

// succeeded notes the right password.
func (g *guard) succeeded(account, address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	pair := guardKey{account, networkOf(address)}
	delete(g.counters, pair)
	if len(g.familiar) >= mostCounters {
		for old := range g.familiar { // any one
			delete(g.familiar, old)
			break
		}
	}
	g.familiar[pair] = g.now()
}

// room makes room for one more counter: those that have faded go first, then any
// that lock nobody.
func (g *guard) room(now time.Time) {
	if len(g.counters) < mostCounters {
		return
	}
	for key, c := range g.counters {
		if now.Sub(c.last) > failuresFade {
			delete(g.counters, key)
		}
	}
	for key, c := range g.counters {
		if len(g.counters) < mostCounters*9/10 { // so that it is not looked for each time
			return
		}
		if !now.Before(c.until) {
			delete(g.counters, key)
		}
	}
}
