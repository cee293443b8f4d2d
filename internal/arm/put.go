package arm

import "net/http"

// putAs lets take put a client's document into the resource that a request is about,
// which is made if there is none. The status says whether it was, with errors of
// take and of the store too.
func (s *Server) putAs(req *request, fields []field, take func(st *stored, next object) error) (st *stored, status int, err error) {
	doc, err := req.decodeAs(fields)
	if err != nil {
		return nil, 0, err
	}
	ctx := req.Context()
	if err := s.findParents(ctx, req.scope); err != nil {
		return nil, 0, err
	}
	if err := s.mutable(ctx, req.scope); err != nil {
		return nil, 0, err
	}
	status = http.StatusOK
	st, err = s.change(ctx, req.scope, func(st *stored) error {
		if err := req.precondition(st); err != nil {
			return err
		}
		if !st.exists() {
			status = http.StatusCreated
		}
		next, _ := clone(doc).(object)
		return take(st, next)
	})
	return st, status, s.goneMeanwhile(ctx, req.scope, err)
}

// patchAs lets take put what a client sent into the resource that a request is about,
// which must be there.
func (s *Server) patchAs(req *request, fields []field, take func(st *stored, next object) error) (*stored, error) {
	doc, err := req.decodeAs(fields)
	if err != nil {
		return nil, err
	}
	return s.alter(req, func(st *stored) error {
		next, _ := clone(doc).(object)
		if err := st.takeLocation(next, ""); err != nil {
			return err
		}
		return take(st, next)
	})
}

// alter changes the resource that a request is about, which must be there.
func (s *Server) alter(req *request, change func(*stored) error) (*stored, error) {
	ctx := req.Context()
	if _, err := s.find(ctx, req.scope); err != nil {
		return nil, err
	}
	if err := s.mutable(ctx, req.scope); err != nil {
		return nil, err
	}
	st, err := s.change(ctx, req.scope, func(st *stored) error {
		if !st.exists() {
			_, err := s.find(ctx, req.scope)
			return err
		}
		if err := req.precondition(st); err != nil {
			return err
		}
		return change(st)
	})
	return st, s.goneMeanwhile(ctx, req.scope, err)
}

// decodeAs returns the document that a client sent, which has what the fields say.
func (req *request) decodeAs(fields []field) (object, error) {
	doc, err := req.decode()
	if err != nil {
		return nil, err
	}
	return doc, check(doc, fields)
}
