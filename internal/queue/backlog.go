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
	batch    string
	created  time.Time
}

func entryOf(r drydock.RunRecord) entry {
	return entry{r.Registry, r.ID, r.Number, poolKey(r.Registry, r.Pool), r.Batch, r.Created}
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
	// limit is how many runs of a batch may have a slot at a time, wherever they
	// are; 0 for any number.
	limit   int
	batches map[string]int // slots that runs of a batch have
}

type pool struct {
	registry, name string // in lower case; empty for the default pool

	slots int
	busy  int
	lines map[string]*line // by registry
}

// line is the runs of one registry that wait for one pool.
type line struct {
	groups map[string]*group // by batch; those without one are a group too
	busy   int               // runs of the registry that have a slot of the pool
	served uint64            // the pick that last served it; 0 for none
}

// group is the runs of a line that belong to one batch.
type group struct {
	waiting []entry // in the order of their numbers
	busy    int
	served  uint64
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
		l = &line{groups: map[string]*group{}}
		p.lines[registry] = l
	}
	return l
}

func (l *line) group(batch string) *group {
	g := l.groups[batch]
	if g == nil {
		g = &group{}
		l.groups[batch] = g
	}
	return g
}

// tidy forgets a batch of which nothing is left.
func (l *line) tidy(batch string) {
	if g := l.groups[batch]; batch != "" && len(g.waiting) == 0 && g.busy == 0 {
		delete(l.groups, batch)
	}
}

func (g *group) find(number int64) (int, bool) {
	return slices.BinarySearchFunc(g.waiting, number, func(e entry, n int64) int { return cmp.Compare(e.number, n) })
}

// add lets a run wait, and reports false if it does already.
func (b *backlog) add(e entry) bool {
	g := b.pool(e.pool).line(e.registry.Key()).group(e.batch)
	i, found := g.find(e.number)
	if !found {
		g.waiting = slices.Insert(g.waiting, i, e)
	}
	return !found
}

// remove takes a run out that need not wait any more.
func (b *backlog) remove(e entry) {
	l := b.pool(e.pool).line(e.registry.Key())
	g := l.group(e.batch)
	if i, found := g.find(e.number); found {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	l.tidy(e.batch)
}

// pick gives a run a slot of its pool. Of the registries that wait for a pool,
// the one that has the fewest slots comes first, then the one that was served
// longest ago, then the one whose run has waited longest. Its batches take turns
// by the same rule, so that many runs of one don't hold up the others; of a batch
// comes the oldest run.
func (b *backlog) pick() (entry, bool) {
	var best *line
	var from *group
	for _, p := range b.pools {
		if p.busy >= p.slots {
			continue
		}
		for _, l := range p.lines {
			g := b.next(l)
			if g != nil && (best == nil || l.before(best, g, from)) {
				best, from = l, g
			}
		}
	}
	if best == nil {
		return entry{}, false
	}
	e := from.waiting[0]
	from.waiting = from.waiting[1:]
	b.served++
	best.served, from.served = b.served, b.served
	best.busy++
	from.busy++
	if e.batch != "" {
		b.batches[e.batch]++
	}
	b.pool(e.pool).busy++
	return e, true
}

// next returns the group of a line whose turn it is, nil for none.
func (b *backlog) next(l *line) *group {
	var best *group
	for batch, g := range l.groups {
		full := batch != "" && b.limit > 0 && b.batches[batch] >= b.limit
		if len(g.waiting) > 0 && !full && (best == nil || g.before(best)) {
			best = g
		}
	}
	return best
}

func (g *group) before(other *group) bool {
	return cmp.Or(
		cmp.Compare(g.busy, other.busy),
		cmp.Compare(g.served, other.served),
		cmp.Compare(g.waiting[0].number, other.waiting[0].number),
	) < 0
}

// before compares two lines by the groups whose turn it is.
func (l *line) before(other *line, own, others *group) bool {
	a, b := own.waiting[0], others.waiting[0]
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
	l := p.line(e.registry.Key())
	l.busy--
	l.group(e.batch).busy--
	l.tidy(e.batch)
	if e.batch == "" {
		return
	}
	if b.batches[e.batch]--; b.batches[e.batch] == 0 {
		delete(b.batches, e.batch)
	}
}
