package arm

import (
	"context"
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
	webhookType   = registryType + "/webhooks"
	scopeMapType  = registryType + "/scopeMaps"
	tokenType     = registryType + "/tokens"
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
	// begins is a run that is queued when the resource is saved, in the same
	// transaction, and noted in it as "run"; nil for none.
	begins *drydock.RunRecord
	// also is done when the resource is saved, in the same transaction; nil for
	// nothing.
	also func(context.Context) error
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

// Deleting reports whether a stored resource is on its way out.
func Deleting(r drydock.Resource) (bool, error) {
	st, err := open(r)
	return err == nil && st.deleting(), err
}

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
	for _, known := range []string{namespace, identityNamespace, vaultNamespace, instanceNamespace} {
		if strings.EqualFold(id.Namespace, known) {
			id.Namespace = known
		}
	}
	types := make([]string, len(id.Types))
	for i, t := range id.Types {
		types[i] = t
		for _, known := range []string{"registries", "tasks", "taskRuns", "agentPools", "runs", "webhooks", "scopeMaps", "tokens", "userAssignedIdentities", "vaults", "containerGroups"} {
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
