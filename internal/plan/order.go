package plan

import (
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// atOnce in `when` starts a step without waiting for another.
const atOnce = "-"

// order checks ids and turns `when` into ids: absent means the step before.
func (t *task) order(items, whens []*yaml.Node) error {
	steps := t.plan.Steps
	ids := map[string]int{}
	var names []string
	for i := range steps {
		if first, ok := ids[steps[i].ID]; ok {
			return invalid(items[i], "two steps have the id %q", steps[i].ID).
				WithHint("the first is in line %d", steps[first].Line)
		}
		ids[steps[i].ID] = i
		names = append(names, steps[i].ID)
	}
	for i := range steps {
		when, err := t.when(whens[i], &steps[i], names, ids)
		if err != nil {
			return err
		}
		if len(when) == 0 && i > 0 {
			when = []string{steps[i-1].ID}
		}
		steps[i].When = slices.DeleteFunc(when, func(id string) bool { return id == atOnce })
	}
	if cycle := findCycle(steps, ids); cycle != nil {
		i := ids[cycle[0]]
		at := items[i]
		if whens[i] != nil {
			at = whens[i]
		}
		return invalid(at, "the steps wait for each other: %s", strings.Join(cycle, " → "))
	}
	return nil
}

// when reads the ids that a step waits for.
func (t *task) when(n *yaml.Node, s *drydock.Step, names []string, ids map[string]int) ([]string, error) {
	nodes, err := t.items(n, "when")
	if err != nil {
		return nil, err
	}
	var when []string
	for _, node := range nodes {
		id, err := t.text(node, "when")
		if err != nil {
			return nil, err
		}
		_, known := ids[id]
		switch {
		case id == atOnce && len(nodes) > 1:
			return nil, invalid(node, "`when` of the step %q has other ids beside %q", s.ID, atOnce)
		case id == s.ID:
			return nil, invalid(node, "the step %q waits for itself", s.ID)
		case id != atOnce && !known:
			return nil, invalid(node, "the step %q waits for %q, and no step has this id", s.ID, id).
				WithHint("%s", nearestOr(id, names, "the steps are"))
		}
		if !slices.Contains(when, id) {
			when = append(when, id)
		}
	}
	return when, nil
}

// findCycle returns the ids along a cycle, the first again at the end, or nil.
func findCycle(steps []drydock.Step, ids map[string]int) []string {
	const done = 2
	state := make([]int, len(steps)) // 0 new, 1 on the path, 2 done
	type frame struct{ step, next int }
	for start := range steps {
		if state[start] != 0 {
			continue
		}
		state[start] = 1
		path := []frame{{step: start}}
		for len(path) > 0 {
			top := &path[len(path)-1]
			if top.next == len(steps[top.step].When) {
				state[top.step] = done
				path = path[:len(path)-1]
				continue
			}
			next := ids[steps[top.step].When[top.next]]
			top.next++
			switch state[next] {
			case 0:
				state[next] = 1
				path = append(path, frame{step: next})
			case 1:
				cycle := []string{}
				for i := slices.IndexFunc(path, func(f frame) bool { return f.step == next }); i < len(path); i++ {
					cycle = append(cycle, steps[path[i].step].ID)
				}
				return append(cycle, steps[next].ID)
			}
		}
	}
	return nil
}
