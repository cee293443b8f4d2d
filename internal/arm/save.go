package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// save writes a resource if it has not been written since it was loaded.
func (s *Server) save(ctx context.Context, st *stored) (*stored, error) {
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
	if r, err = s.put(ctx, r, st.ETag); err != nil {
		return nil, err
	}
	return open(r)
}

// put writes a resource together with the event that tells of it, if it is one
// of those that others follow.
func (s *Server) put(ctx context.Context, r drydock.Resource, etag string) (drydock.Resource, error) {
	kind, followed := followedTypes[strings.ToLower(r.ID.Type())]
	if !followed {
		return s.c.Resources.PutResource(ctx, r, etag)
	}
	var written drydock.Resource
	err := s.c.Store.Atomically(ctx, func(ctx context.Context) (err error) {
		if written, err = s.c.Resources.PutResource(ctx, r, etag); err != nil {
			return err
		}
		return s.tell(ctx, kind, written.ID)
	})
	return written, err
}

// followedTypes are the resources whose changes are events, with the kind of
// event.
var followedTypes = map[string]string{
	strings.ToLower(taskType):     drydock.TaskChangedEvent,
	strings.ToLower(registryType): drydock.TriggersChangedEvent,
}

// tell writes the event of a change of a resource.
func (s *Server) tell(ctx context.Context, kind string, id drydock.ResourceID) error {
	_, err := s.c.Events.AppendEvent(ctx, drydock.Event{ID: s.c.NewID(), Kind: kind, Subject: id, Time: s.c.Now()})
	return err
}

// remove deletes a resource together with the event that tells of it.
func (s *Server) remove(ctx context.Context, id drydock.ResourceID) error {
	return s.c.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := s.c.Resources.DeleteResource(ctx, id); err != nil {
			return err
		}
		if kind, followed := followedTypes[strings.ToLower(id.Type())]; followed {
			return s.tell(ctx, kind, id)
		}
		return nil
	})
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
