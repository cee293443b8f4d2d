package arm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	namespace     = "Microsoft.ContainerRegistry"
	groupType     = "Microsoft.Resources/resourceGroups"
	registryType  = namespace + "/registries"
	taskType      = registryType + "/tasks"
	taskRunType   = registryType + "/taskRuns"
	agentPoolType = registryType + "/agentPools"
	runType       = registryType + "/runs"
	privateKey    = "drydock" // of a stored body, for what is ours in it
	deletingState = "Deleting"
	succeeded     = "Succeeded"
	etagAttempts  = 5
)

// readOnly are the keys of a resource that only the server writes.
var readOnly = []string{"id", "name", "type", "systemData", "etag", "location", privateKey}

// stored is a resource with its body parsed.
type stored struct {
	drydock.Resource
	doc  object // what the client wrote, without readOnly
	ours object // what Drydock notes about it
}

func open(r drydock.Resource) (*stored, error) {
	doc, err := parseObject(r.Body)
	if err != nil {
		return nil, err
	}
	st := &stored{Resource: r, doc: doc}
	st.ours = child(doc, privateKey)
	delete(doc, privateKey)
	return st, nil
}

// fresh returns a resource that is not stored yet.
func fresh(id drydock.ResourceID) *stored {
	return &stored{Resource: drydock.Resource{ID: id}, doc: object{}, ours: object{}}
}

func (st *stored) exists() bool { return st.ETag != "" }

func (st *stored) deleting() bool { return st.ours["state"] == deletingState }

// state returns the provisioning state.
func (st *stored) state() string {
	if st.deleting() {
		return deletingState
	}
	return succeeded
}

// canonical returns an id with the fixed words of the types that are known
// spelt as ARM does.
func canonical(id drydock.ResourceID) drydock.ResourceID {
	if strings.EqualFold(id.Namespace, namespace) {
		id.Namespace = namespace
	}
	types := make([]string, len(id.Types))
	for i, t := range id.Types {
		types[i] = t
		for _, known := range []string{"registries", "tasks", "taskRuns", "agentPools", "runs"} {
			if strings.EqualFold(t, known) {
				types[i] = known
			}
		}
	}
	id.Types = types
	return id
}

// load returns a resource, or an unwritten one if it is not there.
func (s *Server) load(ctx context.Context, id drydock.ResourceID) (*stored, error) {
	r, err := s.c.Resources.Resource(ctx, id)
	if drydock.CodeOf(err) == drydock.NotFound {
		return fresh(canonical(id)), nil
	}
	if err != nil {
		return nil, err
	}
	return open(r)
}

// find returns a resource that must be there, and says in ARM's words what is
// not: the group, the parent or the resource.
func (s *Server) find(ctx context.Context, id drydock.ResourceID) (*stored, error) {
	st, err := s.load(ctx, id)
	if err != nil || st.exists() {
		return st, err
	}
	if err := s.findParents(ctx, id); err != nil {
		return nil, err
	}
	id = canonical(id)
	if id.Namespace == "" {
		return nil, notFound("ResourceGroupNotFound", "Resource group '%s' could not be found.", id.Group)
	}
	return nil, notFound("ResourceNotFound", "The Resource '%s' under resource group '%s' was not found.", id.Type()+"/"+strings.Join(id.Names, "/"), id.Group)
}

// findParents checks that what a resource is below is there.
func (s *Server) findParents(ctx context.Context, id drydock.ResourceID) error {
	if id.Namespace == "" {
		return nil
	}
	if _, err := s.find(ctx, drydock.ResourceID{Subscription: id.Subscription, Group: id.Group}); err != nil {
		return err
	}
	if len(id.Types) < 2 {
		return nil
	}
	parent, err := s.load(ctx, id.Parent())
	if err != nil {
		return err
	}
	if !parent.exists() {
		return notFound("ParentResourceNotFound", "Failed to perform the operation on a resource of type '%s', because the parent resource '%s' could not be found.",
			strings.Join(canonical(id).Types, "/"), canonical(id.Parent()))
	}
	return nil
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

// precondition checks a request's If-Match and If-None-Match (RFC 9110 §13.1).
func (req *request) precondition(st *stored) error {
	failed := &apiError{
		Status: http.StatusPreconditionFailed, Code: "PreconditionFailed",
		Message: "The resource is not in the state that the request's If-Match or If-None-Match header asks for.",
	}
	if match := req.Header.Get("If-Match"); match != "" {
		if !st.exists() || match != "*" && !containsETag(match, st.ETag) {
			return failed
		}
	}
	if none := req.Header.Get("If-None-Match"); none != "" {
		if st.exists() && (none == "*" || containsETag(none, st.ETag)) {
			return failed
		}
	}
	return nil
}

func containsETag(header, etag string) bool {
	for _, h := range strings.Split(header, ",") {
		if strings.Trim(strings.TrimPrefix(strings.TrimSpace(h), "W/"), `"`) == etag {
			return true
		}
	}
	return false
}

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
	if r, err = s.c.Resources.PutResource(ctx, r, st.ETag); err != nil {
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

// envelope returns the keys that all resources have, around a copy of doc.
func (st *stored) envelope() object {
	doc, _ := clone(st.doc).(object)
	doc["id"], doc["name"], doc["type"] = st.ID.String(), st.ID.Name(), st.ID.Type()
	if st.Location != "" {
		doc["location"] = st.Location
	}
	if st.ID.Namespace != "" {
		doc["systemData"] = object{"createdAt": timestamp(st.Created), "lastModifiedAt": timestamp(st.Updated)}
	}
	return doc
}

// answer returns an answer with a resource and its ETag.
func (st *stored) answer(status int, doc object) *answer {
	return (&answer{status: status, body: doc}).with("ETag", `"`+st.ETag+`"`)
}

// timestamp writes a time as the resource manager does: UTC, to 100 ns.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

// takeLocation takes the location out of a client's document. One that differs
// from what is stored is refused, as by Azure.
func (st *stored) takeLocation(doc object, fallback string) error {
	location := text(doc, "location")
	if location == "" {
		location = st.Location
	}
	if location == "" {
		location = fallback
	}
	if location == "" {
		return badRequest("LocationRequired", "The location property is required for this definition.").about("location")
	}
	if st.exists() && plainLocation(location) != plainLocation(st.Location) {
		code := "InvalidResourceLocation"
		if st.ID.Namespace == "" {
			code = "InvalidResourceGroupLocation"
		}
		return conflict(code, "'%s' already exists in location '%s'. A resource with the same name cannot be created in location '%s'.",
			st.ID.Name(), st.Location, shorten(location)).about("location")
	}
	if !st.exists() {
		st.Location = location
	}
	return nil
}

// plainLocation makes "East US" and "eastus" equal.
func plainLocation(l string) string { return strings.ToLower(strings.ReplaceAll(l, " ", "")) }

// listAnswer is the answer of a list.
func listAnswer(values []any, nextLink string) (*answer, error) {
	if values == nil {
		values = []any{}
	}
	body := object{"value": values}
	if nextLink != "" {
		body["nextLink"] = nextLink
	}
	return ok(body)
}
