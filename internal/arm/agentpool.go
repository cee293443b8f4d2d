package arm

import (
	"context"
	"slices"

	"github.com/drydockhq/drydock"
)

// maxSlots bounds how many runs of a pool can go on at a time.
const maxSlots = 1000

var agentPoolFields = slices.Concat(
	kinds(anObject, "properties", "tags"),
	kinds(aString, "tags{}", "properties.tier", "properties.virtualNetworkSubnetResourceId"),
	[]field{
		{path: "location", kind: aString, min: 1, max: 90},
		{path: "properties.count", kind: anInt, min: 0, max: maxSlots},
		anyOf("properties.os", "Linux", "Windows"),
	},
)

func agentPoolDefaults() object {
	return object{"tags": object{}, "properties": object{"count": 1, "tier": "S1", "os": "Linux"}}
}

// agentPoolDoc shows a pool: a name with a number of slots.
func (s *Server) agentPoolDoc(_ context.Context, st *stored) (object, error) {
	doc := st.envelope()
	fill(doc, agentPoolDefaults())
	child(doc, "properties")["provisioningState"] = st.state()
	return doc, nil
}

func (s *Server) showAgentPool(req *request) (*answer, error) {
	return s.showChild(req, s.agentPoolDoc)
}

func (s *Server) listAgentPools(req *request) (*answer, error) {
	return s.listOf(req, agentPoolType, s.agentPoolDoc)
}

func (s *Server) putAgentPool(req *request) (*answer, error) {
	return s.sized(req)(s.putChild(req, agentPoolFields, func(_ context.Context, st *stored, next object) error {
		st.doc = withoutComputed(next, "provisioningState")
		return nil
	}, keepAll, s.agentPoolDoc))
}

func (s *Server) patchAgentPool(req *request) (*answer, error) {
	return s.sized(req)(s.patchChild(req, agentPoolFields, func(_ context.Context, st *stored, patch object) error {
		withoutComputed(patch, "provisioningState")
		tags, tagged := patch["tags"]
		st.doc = merge(st.doc, without(patch, "tags"))
		if tagged {
			st.doc["tags"] = tags
		}
		return nil
	}, keepAll, s.agentPoolDoc))
}

// deleteAgentPool answers while the pool can still be seen.
func (s *Server) deleteAgentPool(req *request) (*answer, error) { return s.beginDelete(req, 0) }

// lingerPool ends what waits for a pool, and lets the pool be seen for a while. The
// Azure CLI looks for it once the deletion is accepted, to follow its state, and
// fails if it is gone by then; Azure takes its time with the machines of a pool.
func (s *Server) lingerPool(ctx context.Context, pool drydock.ResourceID) error {
	if err := s.endPool(ctx, pool); err != nil || s.c.Linger == nil {
		return err
	}
	return s.c.Linger(ctx)
}

// sized returns what tells the queue of a pool's size once it is stored.
func (s *Server) sized(req *request) func(*answer, error) (*answer, error) {
	return func(a *answer, err error) (*answer, error) {
		if err != nil {
			return nil, err
		}
		if doc, ok := a.body.(object); ok {
			s.c.Queue.SetSlots(req.scope.Parent(), req.scope.Name(), slots(doc))
		}
		return a, nil
	}
}

// slots returns the size of a pool: what a client wrote, or the default.
func slots(pool object) int { return number(pool, "properties.count", 1) }

// keepAll finishes resources without secrets and identities.
func keepAll(*stored) error { return nil }

// countQueue says how many runs wait for a pool.
func (s *Server) countQueue(req *request) (*answer, error) {
	pool, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	name := pool.ID.Name()
	waiting, err := s.c.Runs.Runs(req.Context(), drydock.RunFilter{
		Registry: pool.ID.Parent(), Pool: &name, Statuses: []drydock.RunStatus{drydock.RunQueued}, Brief: true,
	})
	if err != nil {
		return nil, err
	}
	return ok(object{"count": len(waiting)})
}
