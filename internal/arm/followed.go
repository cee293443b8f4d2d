package arm

import (
	"context"
	"strings"

	"github.com/drydockhq/drydock"
)

// putResource writes a resource together with the event that tells of it, if it is one
// of those that others follow.
func (s *Server) putResource(ctx context.Context, r drydock.Resource, etag string) (drydock.Resource, error) {
	kind, followed := followedTypes[strings.ToLower(r.ID.Type())]
	if !followed {
		return s.c.Resources.PutResource(ctx, r, etag)
	}
	var written drydock.Resource
	err := s.c.Transactor.Atomically(ctx, func(ctx context.Context) (err error) {
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

// removeResource deletes a resource together with the event that tells of it.
func (s *Server) removeResource(ctx context.Context, id drydock.ResourceID) error {
	return s.c.Transactor.Atomically(ctx, func(ctx context.Context) error {
		if strings.EqualFold(id.Type(), vaultType) {
			if err := s.keepVault(ctx, id); err != nil {
				return err
			}
		}
		if err := s.c.Resources.DeleteResource(ctx, id); err != nil {
			return err
		}
		if kind, followed := followedTypes[strings.ToLower(id.Type())]; followed {
			return s.tell(ctx, kind, id)
		}
		return nil
	})
}
