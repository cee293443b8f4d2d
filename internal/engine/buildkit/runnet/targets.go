package runnet

import (
	"context"
	"net/netip"
	"sync"
)

// targets is where a proxy sends connections, and how many each of those that it
// was or is still has. Its methods may be called from several goroutines.
type targets struct {
	mu      sync.Mutex
	current netip.AddrPort
	open    map[netip.AddrPort]int
	left    chan struct{} // closed, and made anew, when a connection ends
}

func newTargets(first netip.AddrPort) *targets {
	return &targets{current: first, open: map[netip.AddrPort]int{}, left: make(chan struct{})}
}

func (t *targets) set(target netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = target
}

func (t *targets) now() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.current
}

// enter counts a connection, which is to be made to the target that it returns.
func (t *targets) enter() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open[t.current]++
	return t.current
}

// leave takes back what enter has counted.
func (t *targets) leave(target netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[target]--; t.open[target] <= 0 {
		delete(t.open, target)
	}
	close(t.left)
	t.left = make(chan struct{})
}

// drained waits until a target has no connection, or ctx ends.
func (t *targets) drained(ctx context.Context, target netip.AddrPort) {
	for {
		t.mu.Lock()
		n, left := t.open[target], t.left
		t.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-left:
		case <-ctx.Done():
			return
		}
	}
}
