package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

// Memory is a RunStore in memory, for tests that need many of them or a fast
// one.
type Memory struct {
	mu         sync.Mutex
	registries map[string]drydock.ResourceID
	runs       map[string][]drydock.RunRecord // by registry, in the order of their numbers
	last       map[string]int64               // number of each registry
}

var _ drydock.RunStore = (*Memory)(nil)

// NewMemory returns a store that has some registries.
func NewMemory(registries ...drydock.ResourceID) *Memory {
	m := &Memory{registries: map[string]drydock.ResourceID{}, runs: map[string][]drydock.RunRecord{}, last: map[string]int64{}}
	for _, id := range registries {
		m.registries[id.Key()] = id
	}
	return m
}

// CreateRun implements drydock.RunStore.
func (m *Memory) CreateRun(ctx context.Context, r drydock.RunRecord) (drydock.RunRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id, ok := m.registries[r.Registry.Key()]
	if !ok {
		return drydock.RunRecord{}, drydock.Errorf(drydock.NotFound, "there is no registry %s", r.Registry)
	}
	r.Registry, r.Status = id, drydock.RunQueued
	m.last[id.Key()]++
	r.Number = m.last[id.Key()]
	r.ID = drydock.RunID(r.Number)
	if r.Root == 0 {
		r.Root = r.Number
	}
	m.runs[id.Key()] = append(m.runs[id.Key()], r)
	return r, context.Cause(ctx)
}

// CreateRuns implements drydock.RunStore.
func (m *Memory) CreateRuns(ctx context.Context, runs []drydock.RunRecord) ([]drydock.RunRecord, error) {
	m.mu.Lock()
	for _, r := range runs {
		if _, ok := m.registries[r.Registry.Key()]; !ok {
			m.mu.Unlock()
			return nil, drydock.Errorf(drydock.NotFound, "there is no registry %s", r.Registry)
		}
	}
	m.mu.Unlock()
	created := make([]drydock.RunRecord, len(runs))
	for i, r := range runs {
		var err error
		if created[i], err = m.CreateRun(ctx, r); err != nil {
			return nil, err
		}
	}
	return created, nil
}

// Run implements drydock.RunStore.
func (m *Memory) Run(ctx context.Context, registry drydock.ResourceID, id string) (drydock.RunRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.find(registry, id)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	return *r, context.Cause(ctx)
}

// Runs implements drydock.RunStore.
func (m *Memory) Runs(ctx context.Context, f drydock.RunFilter) ([]drydock.RunRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []drydock.RunRecord
	for _, runs := range m.runs {
		for _, r := range runs {
			if !selects(f, r) {
				continue
			}
			if f.Brief {
				r.Request, r.Secrets, r.Trigger, r.Result = nil, nil, nil, nil
			}
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b drydock.RunRecord) int {
		if f.Registry.Subscription != "" {
			return cmp.Compare(b.Number, a.Number)
		}
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Registry.Key(), b.Registry.Key()), cmp.Compare(b.Number, a.Number))
	})
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	return found, context.Cause(ctx)
}

// UpdateRun implements drydock.RunStore.
func (m *Memory) UpdateRun(ctx context.Context, registry drydock.ResourceID, id string, change func(*drydock.RunRecord) error) (drydock.RunRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	stored, err := m.find(registry, id)
	if err != nil {
		return drydock.RunRecord{}, err
	}
	if err := context.Cause(ctx); err != nil {
		return drydock.RunRecord{}, err
	}
	r := *stored
	if err := change(&r); err != nil {
		return drydock.RunRecord{}, err
	}
	r.Registry, r.ID, r.Number = stored.Registry, stored.ID, stored.Number
	*stored = r
	return r, nil
}

// DeleteRuns implements drydock.RunStore.
func (m *Memory) DeleteRuns(ctx context.Context, before time.Time, limit int) ([]drydock.RunRecord, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var old []drydock.RunRecord
	for _, runs := range m.runs {
		for i, r := range runs {
			newest := r.Task != "" && !slices.ContainsFunc(runs[i+1:], func(n drydock.RunRecord) bool { return strings.EqualFold(n.Task, r.Task) })
			if r.Status.Ended() && !r.Archived && !r.Finished.IsZero() && r.Finished.Before(before) && !newest {
				r.Request, r.Secrets, r.Trigger, r.Result = nil, nil, nil, nil
				old = append(old, r)
			}
		}
	}
	slices.SortFunc(old, func(a, b drydock.RunRecord) int {
		return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Registry.Key(), b.Registry.Key()), cmp.Compare(a.Number, b.Number))
	})
	old = old[:min(len(old), limit)]
	for _, r := range old {
		key := r.Registry.Key()
		m.runs[key] = slices.DeleteFunc(m.runs[key], func(s drydock.RunRecord) bool { return s.Number == r.Number })
	}
	return old, context.Cause(ctx)
}

func (m *Memory) find(registry drydock.ResourceID, id string) (*drydock.RunRecord, error) {
	runs := m.runs[registry.Key()]
	if n, ok := drydock.RunNumber(id); ok {
		i, found := slices.BinarySearchFunc(runs, n, func(r drydock.RunRecord, n int64) int { return cmp.Compare(r.Number, n) })
		if found {
			return &runs[i], nil
		}
	}
	return nil, drydock.Errorf(drydock.NotFound, "there is no run %q in registry %s", id, registry.Name())
}

func selects(f drydock.RunFilter, r drydock.RunRecord) bool {
	among := func(list []string, value string) bool {
		return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, value) })
	}
	switch {
	case f.Registry.Subscription != "" && f.Registry.Key() != r.Registry.Key(),
		!among(f.IDs, r.ID), !among(f.Tasks, r.Task),
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, r.Status),
		len(f.Types) > 0 && !slices.Contains(f.Types, r.Type),
		f.OnlyActive && r.Status.Ended(),
		!f.After.IsZero() && !r.Created.After(f.After),
		!f.Before.IsZero() && !r.Created.Before(f.Before),
		!f.FinishedAfter.IsZero() && !r.Finished.After(f.FinishedAfter),
		!f.FinishedBefore.IsZero() && (r.Finished.IsZero() || !r.Finished.Before(f.FinishedBefore)),
		f.OutputHas != "" && !hasOutput(r.Result, f.OutputHas),
		f.OlderThan > 0 && r.Number >= f.OlderThan,
		f.Archived != nil && *f.Archived != r.Archived,
		f.Pool != nil && !strings.EqualFold(*f.Pool, r.Pool):
		return false
	}
	return true
}

func hasOutput(result []byte, part string) bool {
	var r struct {
		OutputImages []struct{ Registry, Repository, Tag, Digest string }
	}
	if json.Unmarshal(result, &r) != nil {
		return false
	}
	part = strings.ToLower(part)
	for _, image := range r.OutputImages {
		name := strings.ToLower(image.Registry + "/" + image.Repository)
		if strings.Contains(name+":"+strings.ToLower(image.Tag), part) || strings.Contains(name+"@"+image.Digest, part) {
			return true
		}
	}
	return false
}
