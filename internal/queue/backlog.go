package queue

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// key names a run in comparisons.
type key struct {
	registry string
	number   int64
}

func keyOf(r drydock.RunRecord) key { return key{r.Registry.Key(), r.Number} }

// entry is a run that waits.
type entry struct {
	registry drydock.ResourceID
	id       string
	number   int64
	pool     string // as by poolKey
	created  time.Time
}

func entryOf(r drydock.RunRecord) entry {
	return entry{r.Registry, r.ID, r.Number, poolKey(r.Registry, r.Pool), r.Created}
}

func (e entry) key() key { return key{e.registry.Key(), e.number} }

// poolKey names a pool: the default one is for all registries, the others
// belong to one.
func poolKey(registry drydock.ResourceID, name string) string {
	if name == "" {
		return ""
	}
	return registry.Key() + poolsFolder + strings.ToLower(name)
}

const poolsFolder = "/agentpools/"

// backlog knows which runs wait for which pool and picks the next one.
type backlog struct {
	pools  map[string]*pool
	served uint64 // counts picks
}

type pool struct {
	registry, name string // in lower case; empty for the default pool

	slots int
	busy  int
	lines map[string]*line // by registry
}

// line is the runs of one registry that wait for one pool.
type line struct {
	waiting []entry // in the order of their numbers
	busy    int     // runs of the registry that have a slot of the pool
	served  uint64  // the pick that last served it; 0 for none
}

func (b *backlog) pool(name string) *pool {
	p := b.pools[name]
	if p == nil {
		registry, own, _ := strings.Cut(name, poolsFolder)
		p = &pool{registry: registry[strings.LastIndex(registry, "/")+1:], name: own, lines: map[string]*line{}}
		b.pools[name] = p
	}
	return p
}

func (p *pool) line(registry string) *line {
	l := p.lines[registry]
	if l == nil {
		l = &line{}
		p.lines[registry] = l
	}
	return l
}

func (l *line) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(l.waiting, number, func(e entry, n int64) int { return cmp.Compare(e.number, n) })
}

// add lets a run wait, and reports false if it does already.
func (b *backlog) add(e entry) bool {
	l := b.pool(e.pool).line(e.registry.Key())
	i, found := l.find(e.number)
	if !found {
		l.waiting = slices.Insert(l.waiting, i, e)
	}
	return !found
}

// remove takes a run out that need not wait any more.
func (b *backlog) remove(e entry) {
	l := b.pool(e.pool).line(e.registry.Key())
	if i, found := l.find(e.number); found {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

// pick gives a run a slot of its pool. Of the registries that wait for a pool,
// the one that has the fewest slots comes first, then the one that was served
// longest ago, then the one whose run has waited longest; of its runs the
// oldest.
func (b *backlog) pick() (entry, bool) {
	var best *line
	for _, p := range b.pools {
		if p.busy >= p.slots {
			continue
		}
		for _, l := range p.lines {
			if len(l.waiting) > 0 && (best == nil || l.before(best)) {
				best = l
			}
		}
	}
	if best == nil {
		return entry{}, false
	}
	e := best.waiting[0]
	best.waiting = best.waiting[1:]
	b.served++
	best.served = b.served
	best.busy++
	b.pool(e.pool).busy++
	return e, true
}

func (l *line) before(other *line) bool {
	a, b := l.waiting[0], other.waiting[0]
	return cmp.Or(
		cmp.Compare(l.busy, other.busy),
		cmp.Compare(l.served, other.served),
		a.created.Compare(b.created),
		cmp.Compare(a.registry.Key(), b.registry.Key()),
		cmp.Compare(a.pool, b.pool),
	) < 0
}

// free gives a slot back.
func (b *backlog) free(e entry) {
	p := b.pool(e.pool)
	p.busy--
	p.line(e.registry.Key()).busy--
}
