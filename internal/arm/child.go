package arm

import (
	"context"

	"github.com/drydockhq/drydock"
)

type (
	// shower returns a resource as clients see it.
	shower func(context.Context, *stored) (object, error)
	// taker puts what a client sent, a copy that is its own, into a resource.
	taker func(ctx context.Context, st *stored, doc object) error
)

// showChild shows a resource below a registry.
func (s *Server) showChild(req *request, show shower) (*answer, error) {
	st, err := s.find(req.Context(), req.scope)
	if err != nil {
		return nil, err
	}
	return s.childAnswer(req.Context(), st, show)
}

// putChild creates or replaces a resource below a registry.
func (s *Server) putChild(req *request, fields []field, take taker, finish func(*stored) error, show shower) (*answer, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	if name := req.scope.Name(); !childName.MatchString(name) {
		return nil, badRequest("InvalidResourceName", "The name '%s' is invalid: it has %d characters; 1 to 50 letters, digits, '-' and '_' are possible.", shorten(name), len(name))
	}
	if err := check(doc, fields); err != nil {
		return nil, err
	}
	registry, err := s.parentOf(req)
	if err != nil {
		return nil, err
	}
	return s.writeChild(req, show, func(st *stored) error {
		next, _ := clone(doc).(object)
		if err := st.takeLocation(next, registry.Location); err != nil {
			return err
		}
		if err := take(req.Context(), st, next); err != nil {
			return err
		}
		return finish(st)
	})
}

// patchChild changes a resource below a registry.
func (s *Server) patchChild(req *request, fields []field, take taker, finish func(*stored) error, show shower) (*answer, error) {
	patch, err := req.decode()
	if err != nil {
		return nil, err
	}
	if err := check(patch, fields); err != nil {
		return nil, err
	}
	if _, err := s.parentOf(req); err != nil {
		return nil, err
	}
	return s.writeChild(req, show, func(st *stored) error {
		if !st.exists() {
			_, err := s.find(req.Context(), req.scope)
			return err
		}
		next, _ := clone(patch).(object)
		if err := st.takeLocation(next, ""); err != nil {
			return err
		}
		delete(next, "location")
		if err := take(req.Context(), st, next); err != nil {
			return err
		}
		return finish(st)
	})
}

// parentOf returns the registry that a resource is in, which must not be going.
func (s *Server) parentOf(req *request) (*stored, error) {
	if err := s.findParents(req.Context(), req.scope); err != nil {
		return nil, err
	}
	if err := s.mutable(req.Context(), req.scope); err != nil {
		return nil, err
	}
	return s.load(req.Context(), req.scope.Parent())
}

func (s *Server) writeChild(req *request, show shower, alter func(*stored) error) (*answer, error) {
	ctx := req.Context()
	st, err := s.change(ctx, req.scope, func(st *stored) error {
		if err := req.precondition(st); err != nil {
			return err
		}
		had := assigned(st.doc)
		if err := alter(st); err != nil {
			return err
		}
		return s.checkAssigned(req, had, st)
	})
	if err != nil {
		return nil, s.goneMeanwhile(ctx, req.scope, err)
	}
	if err := s.keepIdentity(ctx, st); err != nil {
		return nil, err
	}
	return s.childAnswer(ctx, st, show)
}

// goneMeanwhile words the store's answer when the registry was deleted between
// two steps of a request.
func (s *Server) goneMeanwhile(ctx context.Context, id drydock.ResourceID, err error) error {
	if drydock.CodeOf(err) != drydock.NotFound {
		return err
	}
	if gone := s.findParents(ctx, id); gone != nil {
		return gone
	}
	return err
}
