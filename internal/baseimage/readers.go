package baseimage

import "sync"

// readers read tasks in the background: none twice at a time, and not too many of
// one host, which may hang.
type readers struct {
	mu    sync.Mutex
	busy  map[string]bool
	hosts map[string]int
	free  chan struct{} // closed when one has ended; nil if nobody waits for that
	all   sync.WaitGroup
}

// full reports that there is no room for anything more.
func (r *readers) full(most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.busy) >= most
}

// try calls read in the background, and reports whether there was room for it.
func (r *readers) try(key, host string, most, atHost int, read func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy == nil {
		r.busy, r.hosts = map[string]bool{}, map[string]int{}
	}
	if r.busy[key] || len(r.busy) >= most || r.hosts[host] >= atHost {
		return false
	}
	r.busy[key] = true
	r.hosts[host]++
	r.all.Go(func() {
		defer r.left(key, host)
		read()
	})
	return true
}

func (r *readers) left(key, host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, key)
	if r.hosts[host]--; r.hosts[host] == 0 {
		delete(r.hosts, host)
	}
	if r.free != nil {
		close(r.free)
		r.free = nil
	}
}

// freed returns what is closed when there is room again.
func (r *readers) freed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free == nil {
		r.free = make(chan struct{})
	}
	return r.free
}

func (r *readers) wait() { r.all.Wait() }
