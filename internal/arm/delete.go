package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// deleteWait is how long the answer to a deletion waits for its end, so that
// most clients need not poll.
const deleteWait = 5 * time.Second

// beginDelete marks a resource, deletes it in the background, and waits for that
// for a while.
func (s *Server) beginDelete(req *request, wait time.Duration) (*answer, error) {
	ctx := req.Context()
	st, err := s.load(ctx, req.scope)
	if err != nil {
		return nil, err
	}
	if !st.exists() {
		return s.deletedAlready(req)
	}
	if err := req.precondition(st); err != nil {
		return nil, err
	}
	marked, err := s.change(ctx, req.scope, func(st *stored) error {
		if !st.exists() {
			return notFound("ResourceNotFound", "'%s' was deleted meanwhile.", req.scope)
		}
		st.ours["state"] = deletingState
		return nil
	})
	if err != nil {
		return nil, err
	}
	key := operationKey{Deletes: marked.ID.String(), Failure: "DeletionFailed", Principal: req.principal.ID}
	id, op, err := s.begin(key, func(ctx context.Context) error {
		if strings.EqualFold(marked.ID.Type(), agentPoolType) {
			if err := s.lingerPool(ctx, marked.ID); err != nil {
				return err
			}
		}
		return s.delete(ctx, marked.ID)
	})
	if err != nil {
		return nil, err
	}
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-op.done:
			return &answer{status: http.StatusOK}, op.err
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return s.accepted(req, id), nil
}

// deletedAlready answers the deletion of what is not there: an error for a
// group, and 204 for a resource, as Azure.
func (s *Server) deletedAlready(req *request) (*answer, error) {
	if req.scope.Namespace == "" {
		_, err := s.find(req.Context(), req.scope)
		return nil, err
	}
	return &answer{status: http.StatusNoContent}, nil
}

// delete ends and deletes a resource that is marked for it and all that is below
// it, the deepest first. One of the same name that was made since stays.
func (s *Server) delete(ctx context.Context, id drydock.ResourceID) error {
	defer s.locks.lock("delete " + id.Key())()
	root, err := s.c.Resources.Resource(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil // by an operation that was waited for
	}
	if err != nil {
		return err
	}
	if marked, err := Deleting(root); err != nil || !marked {
		return err
	}
	below, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: id})
	if err != nil {
		return err
	}
	if strings.EqualFold(root.ID.Type(), scopeMapType) {
		if err := s.releaseTokens(ctx, root.ID); err != nil {
			return err
		}
	}
	slices.SortStableFunc(below, func(a, b drydock.Resource) int { return len(b.ID.Types) - len(a.ID.Types) })
	for _, r := range append(below, root) {
		for _, hook := range s.c.OnDelete {
			if err := hook(ctx, r); err != nil {
				return fmt.Errorf("deleting %s: %w", r.ID.Name(), err)
			}
		}
		if err := s.removeResource(ctx, r.ID); err != nil && drydock.CodeOf(err) != drydock.NotFound {
			return err
		}
		if strings.EqualFold(r.ID.Type(), agentPoolType) {
			if err := s.endPool(ctx, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// endPool cancels the runs that wait for a pool which is gone: nothing would
// ever start them. Each says why.
func (s *Server) endPool(ctx context.Context, id drydock.ResourceID) error {
	name := id.Name()
	s.c.Queue.SetSlots(id.Parent(), name, 0)
	waiting, err := s.c.Runs.Runs(ctx, drydock.RunFilter{
		Registry: id.Parent(), Pool: &name, Statuses: []drydock.RunStatus{drydock.RunQueued}, Brief: true,
	})
	if err != nil {
		return err
	}
	why, err := json.Marshal(map[string]string{"runErrorMessage": fmt.Sprintf("the agent pool '%s', which the run waited for, was deleted", name)})
	if err != nil {
		return err
	}
	for _, r := range waiting {
		_, err := s.c.Runs.UpdateRun(ctx, r.Registry, r.ID, func(r *drydock.RunRecord) error {
			if r.Status == drydock.RunQueued {
				r.Result = why
			}
			return nil
		})
		if err == nil {
			_, err = s.c.Queue.Cancel(ctx, r.Registry, r.ID)
		}
		if code := drydock.CodeOf(err); err != nil && code != drydock.Conflict && code != drydock.NotFound {
			return err
		}
	}
	return nil
}

// Resume tells the queue of the agent pools that there are, and takes up the
// deletions that were going on when the server ended. It returns when they are
// done.
func (s *Server) Resume(ctx context.Context) error {
	all, err := s.c.Resources.Resources(ctx, drydock.ResourceFilter{Below: s.subscriptionScope()})
	if err != nil {
		return fmt.Errorf("looking for deletions that were cut off: %w", err)
	}
	for _, r := range all {
		st, err := open(r)
		if err != nil {
			return err
		}
		if strings.EqualFold(st.ID.Type(), agentPoolType) {
			s.c.Queue.SetSlots(st.ID.Parent(), st.ID.Name(), slots(st.doc))
		}
		if !st.deleting() {
			continue
		}
		if err := s.delete(ctx, st.ID); err != nil {
			return fmt.Errorf("finishing the deletion of %s: %w", st.ID, err)
		}
	}
	return nil
}

// deleteResource deletes a registry or what is below one.
func (s *Server) deleteResource(req *request) (*answer, error) {
	return s.beginDelete(req, deleteWait)
}
