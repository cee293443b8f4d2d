package arm

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

const (
	resourcesRead = "Microsoft.Resources/subscriptions/resources/read"
	maxPage       = 1000
)

// trackedTypes are the types that lists of all resources show.
var trackedTypes = map[string]string{
	strings.ToLower(registryType): registryType, strings.ToLower(taskType): taskType, strings.ToLower(agentPoolType): agentPoolType,
	strings.ToLower(webhookType): webhookType, strings.ToLower(userIdentityType): userIdentityType,
	strings.ToLower(vaultType): vaultType, strings.ToLower(containerGroupType): containerGroupType,
}

// listResources lists what is in a subscription or a group, as far as the
// principal may read it.
func (s *Server) listResources(req *request) (*answer, error) {
	filter, err := req.filter(resourceFilterFields)
	if err != nil {
		return nil, err
	}
	if req.scope.Group != "" {
		if _, err := s.find(req.Context(), req.scope); err != nil {
			return nil, err
		}
	}
	want := drydock.ResourceFilter{Below: req.scope}
	want.Type, _ = filter.equals("resourcetype")
	found, err := s.c.Resources.Resources(req.Context(), want)
	if err != nil {
		return nil, err
	}
	var docs []any
	for _, r := range found {
		kind, tracked := trackedTypes[strings.ToLower(r.ID.Type())]
		if !tracked || !req.rights.Allow(kind+"/read", r.ID) {
			continue
		}
		st, err := open(r)
		if err != nil {
			return nil, err
		}
		if filter.Matches(resourceValues(st)) {
			docs = append(docs, s.briefDoc(req, st))
		}
	}
	return req.page(docs)
}

// briefDoc is a resource as lists of all resources show it: without properties.
func (s *Server) briefDoc(req *request, st *stored) object {
	doc := st.envelope()
	for key := range doc {
		switch key {
		case "id", "name", "type", "location", "tags", "sku", "kind", "identity", "systemData":
		default:
			delete(doc, key)
		}
	}
	expand := strings.ToLower(req.query.Get("$expand"))
	more := object{"createdTime": timestamp(st.Created), "changedTime": timestamp(st.Updated), "provisioningState": st.state()}
	for key, value := range more {
		if strings.Contains(expand, strings.ToLower(key)) {
			doc[key] = value
		}
	}
	return doc
}

// page answers with the part of a list that $top and $skipToken select.
func (req *request) page(docs []any) (*answer, error) {
	top, err := req.top()
	if err != nil {
		return nil, err
	}
	skip := 0
	if token := req.query.Get("$skiptoken"); token != "" {
		if skip, err = strconv.Atoi(token); err != nil || skip < 0 {
			return nil, badRequest("InvalidSkipToken", "The value of $skipToken is not one that this server gave out.").about("$skipToken")
		}
	}
	rest := docs[min(skip, len(docs)):]
	size := maxPage
	if top > 0 {
		size = min(top, maxPage)
	}
	if len(rest) <= size {
		return listAnswer(rest, "")
	}
	next := ""
	if top == 0 || top > size {
		next = req.next(strconv.Itoa(skip+size), top-size)
	}
	return listAnswer(rest[:size], next)
}

// top returns the value of $top, 0 without one.
func (req *request) top() (int, error) {
	given := req.query.Get("$top")
	if given == "" {
		return 0, nil
	}
	top, err := strconv.Atoi(given)
	if err != nil || top < 1 {
		return 0, badRequest("InvalidTopParameter", "The value of $top must be a whole number from 1 on, not '%s'.", shorten(given)).about("$top")
	}
	return top, nil
}

// next returns the link to the next page; top is how many are still wanted, if
// somebody said.
func (req *request) next(token string, top int) string {
	q := url.Values{}
	for key, values := range req.URL.Query() {
		if k := strings.ToLower(key); k != "$skiptoken" && k != "$top" {
			q[key] = values
		}
	}
	q.Set("$skipToken", token)
	if top > 0 {
		q.Set("$top", strconv.Itoa(top))
	}
	return baseURL(req.Request) + req.URL.EscapedPath() + "?" + q.Encode()
}

// filter parses $filter. An empty one matches all.
func (req *request) filter(fields map[string]filterField) (*filter, error) {
	return parseFilter(req.query.Get("$filter"), fields)
}
