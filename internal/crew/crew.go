// Package crew does things in the background that others may hold up: a bounded
// number of them, so that a host that hangs takes nobody else's place.
package crew

import "sync"

// Crew has what goes on. The zero Crew is ready. Its methods may be called from
// several goroutines; Try not at the same time as Wait.
type Crew struct {
	mu    sync.Mutex
	busy  map[string]bool
	hosts map[string]int
	freed chan struct{} // closed when one has ended; nil if nobody waits for that
	all   sync.WaitGroup
}

// Try calls do in the background, and reports whether there was room for it: the
// same key does not go on already, and fewer than atHost at its host and than most
// in all.
func (c *Crew) Try(key, host string, most, atHost int, do func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy == nil {
		c.busy, c.hosts = map[string]bool{}, map[string]int{}
	}
	if c.busy[key] || len(c.busy) >= most || c.hosts[host] >= atHost {
		return false
	}
	c.busy[key] = true
	c.hosts[host]++
	c.all.Go(func() {
		defer c.left(key, host)
		do()
	})
	return true
}

func (c *Crew) left(key, host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, key)
	if c.hosts[host]--; c.hosts[host] == 0 {
		delete(c.hosts, host)
	}
	if c.freed != nil {
		close(c.freed)
		c.freed = nil
	}
}

// Full reports that so many go on, at whatever hosts.
func (c *Crew) Full(most int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.busy) >= most
}

// Freed returns what is closed when one of those that go on has ended, or of
// those that come.
func (c *Crew) Freed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.freed == nil {
		c.freed = make(chan struct{})
	}
	return c.freed
}

// Wait waits for the end of all that goes on.
func (c *Crew) Wait() { c.all.Wait() }
