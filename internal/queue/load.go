package queue

import (
	"cmp"
	"slices"
	"time"

	"github.com/drydockhq/drydock"
)

// Load is how much there is to do for a pool.
type Load struct {
	Slots   int
	Busy    int       // slots in use
	Waiting int       // runs
	Oldest  time.Time // when the oldest of them was created; zero without any
}

// PoolLoad is the load of a pool with its name: both names are empty for the
// default pool, which is that of all registries.
type PoolLoad struct {
	Registry, Pool string // in lower case
	Load
}

// Load returns how much there is to do for a pool.
func (q *Queue) Load(registry drydock.ResourceID, name string) Load {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := q.backlog.pools[poolKey(registry, name)]
	if p == nil {
		return Load{}
	}
	return p.load()
}

// Loads returns how much there is to do for each pool, the default one first.
func (q *Queue) Loads() []PoolLoad {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []PoolLoad
	for _, p := range q.backlog.pools {
		// Pools that are gone have no slots.
		if l := p.load(); p.name == "" || l != (Load{}) {
			all = append(all, PoolLoad{p.registry, p.name, l})
		}
	}
	slices.SortFunc(all, func(a, b PoolLoad) int {
		return cmp.Or(cmp.Compare(a.Registry, b.Registry), cmp.Compare(a.Pool, b.Pool))
	})
	return all
}

func (p *pool) load() Load {
	load := Load{Slots: p.slots, Busy: p.busy}
	for _, l := range p.lines {
		for _, g := range l.groups {
			load.Waiting += len(g.waiting)
			if len(g.waiting) > 0 && (load.Oldest.IsZero() || g.waiting[0].created.Before(load.Oldest)) {
				load.Oldest = g.waiting[0].created
			}
		}
	}
	return load
}
