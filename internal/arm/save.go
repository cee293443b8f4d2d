package arm

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/drydockhq/drydock"
)

// save writes a resource if it has not been written since it was loaded, with what
// belongs to that: there is none without the other.
func (s *Server) save(ctx context.Context, st *stored) (saved *stored, err error) {
	if st.exists() && st.begins == nil && st.also == nil {
		return s.put(ctx, st)
	}
	err = s.c.Transactor.Atomically(ctx, func(ctx context.Context) error {
		// What is written while all around it is deleted would be there no more, and
		// nobody would end what it stands for.
		if err := s.mutable(ctx, st.ID); err != nil {
			return err
		}
		saved, err = s.saveWith(ctx, st)
		return err
	})
	return saved, err
}

// saveWith writes a resource with what belongs to that, in the transaction of ctx.
func (s *Server) saveWith(ctx context.Context, st *stored) (*stored, error) {
	if st.begins != nil {
		run, err := s.c.Queue.Enqueue(ctx, *st.begins)
		if err != nil {
			return nil, err
		}
		st.ours["run"] = run.ID
	}
	saved, err := s.put(ctx, st)
	if err != nil {
		return nil, err
	}
	if st.begins != nil {
		if err := s.keepIdentity(ctx, saved); err != nil { // the run may act as it at once
			return nil, err
		}
	}
	if st.also != nil {
		return saved, st.also(ctx)
	}
	return saved, nil
}

// put writes a resource as it is in hand.
func (s *Server) put(ctx context.Context, st *stored) (*stored, error) {
	for _, key := range readOnly {
		delete(st.doc, key)
	}
	doc, _ := clone(st.doc).(object)
	if len(st.ours) > 0 {
		doc[privateKey] = st.ours
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing %s: %w", st.ID.Name(), err)
	}
	r, now := st.Resource, s.c.Now()
	r.Body, r.Updated = body, now
	if r.Created.IsZero() {
		r.Created = now
	}
	if r, err = s.putResource(ctx, r, st.ETag); err != nil {
		return nil, err
	}
	return open(r)
}

// change loads a resource, lets alter change it, and saves it; again if somebody
// else wrote it meanwhile.
func (s *Server) change(ctx context.Context, id drydock.ResourceID, alter func(*stored) error) (*stored, error) {
	defer s.locks.lock(id.Key())()
	for range etagAttempts {
		st, err := s.load(ctx, id)
		if err != nil {
			return nil, err
		}
		if err := alter(st); err != nil {
			return nil, err
		}
		saved, err := s.save(ctx, st)
		if err == nil || drydock.CodeOf(err) != drydock.Conflict || !st.exists() {
			return saved, err
		}
	}
	return nil, conflict("Conflict", "The resource was changed again and again meanwhile. Try again.")
}

// mutable checks that neither a resource nor anything above it is being deleted.
func (s *Server) mutable(ctx context.Context, id drydock.ResourceID) error {
	for ; id.Group != ""; id = id.Parent() {
		st, err := s.load(ctx, id)
		if err != nil {
			return err
		}
		if st.deleting() {
			if id.Namespace == "" {
				return conflict("ResourceGroupBeingDeleted", "The resource group '%s' is in deprovisioning state and cannot perform this operation.", id.Group)
			}
			return conflict("ResourceBeingDeleted", "'%s' is being deleted.", st.ID)
		}
	}
	return nil
}
