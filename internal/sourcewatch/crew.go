package sourcewatch

import "sync"

// How much goes on at a time: at one git host, so that one that hangs holds up
// nobody else, and in all.
const (
	hostTogether = 4
	allTogether  = 32
	// kept is how many places are kept for what is urgent.
	kept = 8
)

// crew does things in the background: not the same at the same time, and not too
// many at once.
type crew struct {
	mu    sync.Mutex
	busy  map[string]bool
	hosts map[string]int // what goes on there
	all   sync.WaitGroup
}

// try calls f in the background, and done after it, unless the same goes on
// already or enough does, there or everywhere.
func (c *crew) try(key, host string, urgent bool, f, done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy == nil {
		c.busy, c.hosts = map[string]bool{}, map[string]int{}
	}
	limit := allTogether
	if !urgent {
		limit -= kept
	}
	if c.busy[key] || len(c.busy) >= limit || c.hosts[host] >= hostTogether {
		return
	}
	c.busy[key] = true
	c.hosts[host]++
	c.all.Go(func() {
		f()
		c.left(key, host)
		done()
	})
}

func (c *crew) left(key, host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, key)
	if c.hosts[host]--; c.hosts[host] == 0 {
		delete(c.hosts, host)
	}
}

// full reports that nothing that is not urgent may begin.
func (c *crew) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.busy) >= allTogether-kept
}

func (c *crew) wait() { c.all.Wait() }
