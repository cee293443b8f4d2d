package drydock

import (
	"context"
	"strings"
	"time"
)

// Resource is what the resource manager keeps under an id. Body is the
// client's own JSON object, merged raw, so that nothing that a newer client
// sends is lost; it holds neither secrets nor what Drydock computes.
type Resource struct {
	ID       ResourceID
	Location string
	Body     []byte
	Secrets  []byte    // what of the client's object is secret, sealed; nil for none
	ETag     string    // changes with each write; set by the store
	Created  time.Time // of the first write; a later one does not change it
	Updated  time.Time
	// GlobalName says that no other resource of its type may have its name,
	// wherever that is.
	GlobalName bool
	// Alias, if it is not empty, is a second name that no other resource of its
	// type may have, wherever that is; compared as it is written.
	Alias string
}

// ResourceID is an ARM id:
// /subscriptions/{Subscription}/resourceGroups/{Group}/providers/{Namespace}/{type}/{name}/….
// Ids are compared without regard to case and shown as they were first written.
type ResourceID struct {
	Subscription string
	Group        string   // empty for a subscription
	Namespace    string   // "Microsoft.ContainerRegistry"; empty for a group
	Types        []string // "registries", "tasks"
	Names        []string // one for each type
}

// ParseResourceID parses an ARM id. An id that is none is an error with code
// Invalid.
func ParseResourceID(s string) (ResourceID, error) {
	parts := strings.Split(strings.Trim(s, "/"), "/")
	bad := Errorf(Invalid, "%q is not a resource id", s).
		WithHint("it has the form /subscriptions/…/resourceGroups/…/providers/…")
	for _, part := range parts {
		if part == "" {
			return ResourceID{}, bad
		}
	}
	var id ResourceID
	if len(parts) < 2 || len(parts)%2 != 0 || !strings.EqualFold(parts[0], "subscriptions") {
		return ResourceID{}, bad
	}
	id.Subscription, parts = parts[1], parts[2:]
	if len(parts) == 0 {
		return id, nil
	}
	if strings.EqualFold(parts[0], "resourceGroups") {
		id.Group, parts = parts[1], parts[2:]
	}
	if len(parts) == 0 {
		return id, nil
	}
	if !strings.EqualFold(parts[0], "providers") {
		return ResourceID{}, bad
	}
	id.Namespace, parts = parts[1], parts[2:]
	for ; len(parts) > 0; parts = parts[2:] {
		id.Types, id.Names = append(id.Types, parts[0]), append(id.Names, parts[1])
	}
	if len(id.Types) == 0 {
		return ResourceID{}, bad
	}
	return id, nil
}

// String returns the id with ARM's spelling of its fixed words.
func (id ResourceID) String() string {
	var b strings.Builder
	b.WriteString("/subscriptions/" + id.Subscription)
	if id.Group != "" {
		b.WriteString("/resourceGroups/" + id.Group)
	}
	if id.Namespace != "" {
		b.WriteString("/providers/" + id.Namespace)
	}
	for i := range id.Types {
		b.WriteString("/" + id.Types[i] + "/" + id.Names[i])
	}
	return b.String()
}

// Key returns the id in the form in which ids are compared.
func (id ResourceID) Key() string { return strings.ToLower(id.String()) }

// Type returns the resource type, as "Microsoft.ContainerRegistry/registries/tasks".
func (id ResourceID) Type() string {
	switch {
	case id.Namespace != "":
		return id.Namespace + "/" + strings.Join(id.Types, "/")
	case id.Group != "":
		return "Microsoft.Resources/resourceGroups"
	}
	return "Microsoft.Resources/subscriptions"
}

// Name returns the last name of the id.
func (id ResourceID) Name() string {
	switch {
	case len(id.Names) > 0:
		return id.Names[len(id.Names)-1]
	case id.Group != "":
		return id.Group
	}
	return id.Subscription
}

// kinds are the words for resources of the types that people hear most of.
var kinds = map[string]string{
	"microsoft.containerregistry/registries":           "registry",
	"microsoft.containerregistry/registries/tasks":     "task",
	"microsoft.containerregistry/registries/taskruns":  "task run",
	"microsoft.containerregistry/registries/runs":      "run",
	"microsoft.managedidentity/userassignedidentities": "identity",
	"microsoft.containerinstance/containergroups":      "container group",
	"microsoft.keyvault/vaults":                        "vault",
	"microsoft.resources/resourcegroups":               "resource group",
	"microsoft.resources/subscriptions":                "subscription",
}

// Described returns the name of the resource with the word for what it is, as
// "task hello in registry contoso".
func (id ResourceID) Described() string {
	kind, known := kinds[strings.ToLower(id.Type())]
	if !known {
		return id.String()
	}
	if len(id.Types) > 1 {
		return kind + " " + id.Name() + " in " + id.Parent().Described()
	}
	return kind + " " + id.Name()
}

// Parent returns the id that this one is below: the resource of a child, the
// group of a resource, the subscription of a group.
func (id ResourceID) Parent() ResourceID {
	switch {
	case len(id.Types) > 1:
		id.Types, id.Names = id.Types[:len(id.Types)-1], id.Names[:len(id.Names)-1]
	case id.Namespace != "":
		id.Namespace, id.Types, id.Names = "", nil, nil
	default:
		id.Group = ""
	}
	return id
}

// Child returns the id of a resource below this one.
func (id ResourceID) Child(kind, name string) ResourceID {
	id.Types = append(id.Types[:len(id.Types):len(id.Types)], kind)
	id.Names = append(id.Names[:len(id.Names):len(id.Names)], name)
	return id
}

// Under returns the id of the same resource with all but its own name spelt as
// in the id of its parent.
func (id ResourceID) Under(parent ResourceID) ResourceID {
	switch {
	case len(id.Types) > 1:
		last := len(id.Types) - 1
		return parent.Child(id.Types[last], id.Names[last])
	case id.Namespace != "":
		parent.Namespace, parent.Types, parent.Names = id.Namespace, id.Types, id.Names
	case id.Group != "":
		parent.Group = id.Group
	}
	return parent
}

// ResourceFilter selects resources; empty fields select all.
type ResourceFilter struct {
	Below ResourceID   // at any depth, without itself; a subscription, a group or a resource
	Type  string       // compared without regard to case
	Name  string       // compared without regard to case
	Alias string       // compared as it is written
	IDs   []ResourceID // those of them that there are
}

// ResourceStore keeps resources. Its methods may be called from several
// goroutines. A resource that is not there is an error with code NotFound.
type ResourceStore interface {
	Resource(ctx context.Context, id ResourceID) (Resource, error)

	// Resources returns the selected resources, ordered by their ids.
	Resources(ctx context.Context, f ResourceFilter) ([]Resource, error)

	// PutResource creates or replaces a resource and returns it as stored. With
	// an ifMatch that is not empty the stored resource must have that ETag; with
	// "*" it must exist. Otherwise the error has code Conflict, as it has when a
	// GlobalName or an Alias is taken. A group, or the resource that a child is below, must
	// be there, or the error has code NotFound; a subscription need not.
	PutResource(ctx context.Context, r Resource, ifMatch string) (Resource, error)

	// DeleteResource deletes a resource and all that is below it: resources,
	// their runs, the principals that they own, role assignments.
	DeleteResource(ctx context.Context, id ResourceID) error
}
