package graph

import (
	"context"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

// The sizes of a page of a list.
const (
	pageSize = 100
	maxPage  = 999
)

// collection is a set of objects that principals are shown as.
type collection struct {
	name   string // in paths
	has    func(drydock.Principal) bool
	doc    func(drydock.Principal) object
	fields map[string]filterField
	values func(drydock.Principal) filterRecord
}

// find returns the member of a collection that the path names by its appId, or
// by an object id that byID looks up. Who is no owner finds itself only.
func (s *Server) find(req *request, c collection, byID func(context.Context, string) (drydock.Principal, error)) (drydock.Principal, error) {
	name, isAppID := strings.CutPrefix(req.id, appIDKey)
	look := byID
	if isAppID {
		look = s.c.Principals.PrincipalByAppID
	}
	p, err := look(req.Context(), strings.ToLower(name))
	missing := drydock.CodeOf(err) == drydock.NotFound || err == nil && !c.has(p)
	switch {
	case err != nil && !missing:
		return p, err
	case !req.owner && (missing || !req.sees(p)):
		return p, denied()
	case missing:
		return p, notFound(name)
	}
	return p, nil
}

// sees reports whether a request may be told of a principal.
func (req *request) sees(p drydock.Principal) bool { return req.owner || p.ID == req.principal.ID }

// list answers with the members of a collection that the query selects. Who is
// no owner may select itself and nothing else.
func (s *Server) list(req *request, c collection) (*answer, error) {
	q, err := req.listQuery(c)
	if err != nil {
		return nil, err
	}
	all := []drydock.Principal{req.principal}
	if req.owner {
		if all, err = s.c.Principals.Principals(req.Context(), drydock.ResourceID{}); err != nil {
			return nil, err
		}
	}
	var selected []drydock.Principal
	for _, p := range all {
		if c.has(p) && q.filter.Matches(c.values(p)) {
			selected = append(selected, p)
		}
	}
	if !req.owner && (len(selected) == 0 || q.filter.All()) {
		return nil, denied()
	}
	return ok(q.page(req, c, selected))
}

// page returns the part of a list that comes after what was shown before.
func (q *listQuery) page(req *request, c collection, selected []drydock.Principal) object {
	docs, next := []any{}, ""
	for _, p := range selected {
		if p.ID <= q.after {
			continue // principals come by their ids
		}
		if len(docs) == q.top {
			next = q.last
			break
		}
		docs = append(docs, q.pick(c.doc(p)))
		q.last = p.ID
	}
	body := object{"@odata.context": req.context(c.name), "value": docs}
	if q.count {
		body["@odata.count"] = len(selected)
	}
	if next != "" {
		again := req.URL.Query()
		again.Set("$skiptoken", next)
		body["@odata.nextLink"] = req.base() + req.URL.EscapedPath() + "?" + again.Encode()
	}
	return body
}

// one answers with a member of a collection.
func (req *request) one(c collection, p drydock.Principal) (*answer, error) {
	q, err := req.showQuery()
	if err != nil {
		return nil, err
	}
	doc := q.pick(c.doc(p))
	doc["@odata.context"] = req.context(c.name) + "/$entity"
	return ok(doc)
}

// base is the server as the client named it.
func (req *request) base() string { return "https://" + req.Host }

func (req *request) context(name string) string { return req.base() + "/v1.0/$metadata#" + name }

// topOf reads $top.
func topOf(text string) (int, error) {
	if text == "" {
		return pageSize, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, badRequest("Request_BadRequest", "$top is '%s', and has to be a number from 1 to %d.", shorten(text), maxPage)
	}
	return n, nil
}
