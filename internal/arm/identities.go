package arm

import (
	"context"
	"maps"
	"slices"

	"github.com/drydockhq/drydock"
)

// Identities returns the identities that a resource has. A resource that is not
// there, or is going, has none.
func (s *Server) Identities(ctx context.Context, id drydock.ResourceID) (drydock.Identities, error) {
	st, err := s.load(ctx, id)
	if err != nil || !st.exists() || st.deleting() {
		return drydock.Identities{Resource: id}, err
	}
	return s.identitiesOf(ctx, st)
}

func (s *Server) identitiesOf(ctx context.Context, st *stored) (drydock.Identities, error) {
	all := drydock.Identities{Resource: st.ID}
	if systemAssigned(st.doc) {
		p, there, err := s.systemIdentity(ctx, st.ID)
		if err != nil {
			return all, err
		}
		if there {
			all.System = &p
		}
	}
	for _, name := range slices.Sorted(maps.Keys(assigned(st.doc))) {
		id, err := drydock.ParseResourceID(name)
		if err != nil {
			return all, err
		}
		p, there, err := s.systemIdentity(ctx, id)
		switch {
		case err != nil:
			return all, err
		case there:
			all.Users = append(all.Users, p)
		default:
			all.Missing = append(all.Missing, id)
		}
	}
	return all, nil
}
