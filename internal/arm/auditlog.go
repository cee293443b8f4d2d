package arm

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	auditRead = "Microsoft.Insights/eventtypes/values/Read"
	// auditPage is how many records are read at a time.
	auditPage = 200
)

func (s *Server) auditRoutes() []route {
	return []route{{
		method: http.MethodGet, path: subPath + "/providers/Microsoft.Insights/eventtypes/management/values", action: auditRead, somewhere: true,
		what:   "List what was done, the newest first, by `$filter` on eventTimestamp, resourceGroupName, resourceUri, resourceId, caller and operationName: writes, and reads of secrets.",
		handle: s.listAudit,
	}}
}

// auditFields are what the audit log can be filtered by.
var auditFields = map[string]filterField{
	"eventtimestamp": {kind: filterTime}, "resourcegroupname": {kind: filterText}, "resourceuri": {kind: filterText}, "resourceid": {kind: filterText},
	"caller": {kind: filterText}, "operationname": {kind: filterText}, "status": {kind: filterText}, "correlationid": {kind: filterText},
	"resourceprovider": {kind: filterText}, "eventchannels": {kind: filterText}, "levels": {kind: filterText},
}

// listAudit shows what was done to what the reader may read.
func (s *Server) listAudit(req *request) (*answer, error) {
	filter, err := req.filter(auditFields)
	if err != nil {
		return nil, err
	}
	top, err := req.top()
	if err != nil {
		return nil, err
	}
	query := auditQuery(filter)
	if token := req.query.Get("$skiptoken"); token != "" {
		if query.Before, err = strconv.ParseInt(token, 10, 64); err != nil || query.Before < 1 {
			return nil, badRequest("InvalidSkipToken", "The value of $skipToken is not one that this server gave out.").about("$skipToken")
		}
	}
	size := auditPage
	if top > 0 {
		size = min(top, auditPage)
	}
	query.Limit = auditPage
	var docs []any
	for {
		found, err := s.c.Audit.Audit(req.Context(), query)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			query.Before = r.Number
			id := s.auditScope(r)
			if !req.rights.Allow(auditRead, id) || !filter.Matches(auditValues(r, id)) {
				continue
			}
			if docs = append(docs, auditDoc(r, id)); len(docs) == size {
				return s.auditAnswer(req, docs, r.Number, top)
			}
		}
		if len(found) < auditPage {
			return listAnswer(docs, "")
		}
	}
}

func (s *Server) auditAnswer(req *request, docs []any, last int64, top int) (*answer, error) {
	if top > 0 && len(docs) >= top {
		return listAnswer(docs, "")
	}
	return listAnswer(docs, req.next(strconv.FormatInt(last, 10), max(top-len(docs), 0)))
}

// auditQuery is what of a filter the store can look for.
func auditQuery(f *filter) (q drydock.AuditFilter) {
	for _, c := range f.conditions() {
		at, err := time.Parse(time.RFC3339Nano, c.value)
		switch {
		case c.field == "eventtimestamp" && err == nil && (c.op == "ge" || c.op == "gt"):
			q.From = at
		case c.field == "eventtimestamp" && err == nil && c.op == "lt":
			q.To = at
		case c.field == "eventtimestamp" && err == nil && c.op == "le":
			q.To = at.Add(time.Nanosecond)
		}
	}
	return q
}

// auditScope is the resource that a record is about, as far as it is below one;
// the subscription for everything else.
func (s *Server) auditScope(r drydock.AuditRecord) drydock.ResourceID {
	parts := strings.Split(r.Target, "/")
	for n := len(parts); n > 2; n-- {
		if id, err := drydock.ParseResourceID(strings.Join(parts[:n], "/")); err == nil {
			return id
		}
	}
	return s.subscriptionScope()
}

func auditValues(r drydock.AuditRecord, id drydock.ResourceID) filterRecord {
	return filterRecord{
		"eventtimestamp": {timestamp(r.Time)}, "resourcegroupname": {id.Group}, "resourceuri": {r.Target}, "resourceid": {r.Target},
		"caller": {r.Principal, r.AppID, r.Name}, "operationname": {r.Action}, "status": {string(r.Result)}, "correlationid": {r.ID},
		"resourceprovider": {id.Namespace}, "eventchannels": {"Admin, Operation"}, "levels": {"Informational"},
	}
}

// auditDoc shows a record as an event of Azure's activity log.
func auditDoc(r drydock.AuditRecord, id drydock.ResourceID) object {
	named := func(value string) object { return object{"value": value, "localizedValue": value} }
	status := ""
	if r.Status != 0 {
		status = strconv.Itoa(r.Status)
	}
	level := "Informational"
	if r.Result == drydock.AuditDenied || r.Result == drydock.AuditFailed {
		level = "Error"
	}
	caller := r.Name
	if caller == "" {
		caller = r.Principal
	}
	return object{
		"id": r.Target + "/events/" + r.ID, "eventDataId": r.ID, "correlationId": r.ID, "operationId": r.ID,
		"eventTimestamp": timestamp(r.Time), "submissionTimestamp": timestamp(r.Time), "level": level,
		"caller": caller, "channels": "Operation", "description": "",
		"claims":        object{"oid": r.Principal, "appid": r.AppID, "name": r.Name},
		"httpRequest":   object{"clientIpAddress": r.From},
		"operationName": named(r.Action), "category": named("Administrative"), "eventName": named("EndRequest"),
		"resourceId": r.Target, "resourceGroupName": id.Group, "resourceProviderName": named(id.Namespace), "resourceType": named(id.Type()),
		"status": named(string(r.Result)), "subStatus": named(strings.TrimSpace(status + " " + r.Detail)),
		"subscriptionId": id.Subscription,
	}
}
