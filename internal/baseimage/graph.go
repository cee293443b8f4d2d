package baseimage

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// graph says which tasks build on which.
type graph struct {
	on   map[string][]string // tasks that a task builds on directly
	ring map[string]int      // tasks with the same number build on one another
}

func newGraph(s *situation) *graph {
	g := &graph{on: s.on, ring: map[string]int{}}
	g.findRings(s)
	return g
}

// above returns the tasks that a task builds on, to the last, without those
// that build on it in turn.
func (g *graph) above(key string) []string {
	seen := map[string]bool{key: true}
	var found []string
	for queue := []string{key}; len(queue) > 0; queue = queue[1:] {
		for _, u := range g.on[queue[0]] {
			if seen[u] {
				continue
			}
			seen[u] = true
			queue = append(queue, u)
			if g.ring[u] != g.ring[key] {
				found = append(found, u)
			}
		}
	}
	slices.Sort(found)
	return found
}

// findRings numbers the strongly connected parts, as Tarjan does.
func (g *graph) findRings(s *situation) {
	index, low := map[string]int{}, map[string]int{}
	onStack := map[string]bool{}
	var stack []string
	var visit func(key string)
	visit = func(key string) {
		index[key] = len(index) + 1
		low[key] = index[key]
		stack, onStack[key] = append(stack, key), true
		for _, u := range g.on[key] {
			if index[u] == 0 {
				visit(u)
				low[key] = min(low[key], low[u])
			} else if onStack[u] {
				low[key] = min(low[key], index[u])
			}
		}
		if low[key] != index[key] {
			return
		}
		for {
			top := stack[len(stack)-1]
			stack, onStack[top] = stack[:len(stack)-1], false
			g.ring[top] = index[key]
			if top == key {
				return
			}
		}
	}
	for key := range s.nodes {
		if index[key] == 0 {
			visit(key)
		}
	}
}

func compareIDs(a, b drydock.ResourceID) int { return strings.Compare(a.Key(), b.Key()) }
