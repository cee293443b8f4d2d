package drydock

import (
	"slices"
	"strings"
	"time"
)

// The identities that have fixed names.
const (
	SystemIdentity = "[system]" // a resource's own among those that it has
	CallerIdentity = "[caller]" // of who asked for a run
)

// Identities are the identities that a resource has.
type Identities struct {
	Resource ResourceID
	System   *Principal  // its own; nil for none
	Users    []Principal // those assigned to it, ordered by their resources, which are their Owners
	// Missing are those assigned to it that were deleted since.
	Missing []ResourceID
}

// Empty reports that there is no identity to act as.
func (i Identities) Empty() bool { return i.System == nil && len(i.Users) == 0 }

// Named returns the identity that a name selects: SystemIdentity, or the client
// id, object id or resource id of one that is assigned. One that the resource
// doesn't have is an error with code NotFound.
func (i Identities) Named(name string) (Principal, error) {
	if strings.EqualFold(name, SystemIdentity) {
		if i.System != nil {
			return *i.System, nil
		}
		return Principal{}, i.lacks("an identity of its own", SystemIdentity)
	}
	for _, p := range i.Users {
		if strings.EqualFold(p.AppID, name) || strings.EqualFold(p.ID, name) || strings.EqualFold(p.Owner.String(), name) {
			return p, nil
		}
	}
	deleted := func(id ResourceID) bool { return strings.EqualFold(id.String(), name) }
	if slices.ContainsFunc(i.Missing, deleted) {
		return Principal{}, Errorf(NotFound, "the user-assigned identity %s of %s was deleted", name, i.Resource.Described())
	}
	// A client id can't be assigned, so the hint leaves to the user which one it is.
	return Principal{}, i.lacks("the user-assigned identity "+name, "RESOURCE-ID")
}

func (i Identities) lacks(what, assign string) error {
	err := Errorf(NotFound, "%s does not have %s", i.Resource.Described(), what)
	if len(i.Resource.Types) == 2 && strings.EqualFold(i.Resource.Types[1], "tasks") {
		err = err.WithHint("give it that with: az acr task identity assign --registry %s --name %s --identities %s", i.Resource.Names[0], i.Resource.Name(), assign)
	}
	return err
}

// IdentityUse says which identity of a resource is used, and for what.
type IdentityUse struct {
	Resource ResourceID // whose identity it is: a task, or zero for none
	Name     string     // as Identities.Named takes it, or CallerIdentity
	Caller   string     // object id, for CallerIdentity
	// Run is what acts as the identity; nil for the server itself, which looks
	// at images for the resource.
	Run *RunKey
}

// RunKey names one attempt of a run. A registry of the same name gives out the
// same ids once more, so when it was created is part of it.
type RunKey struct {
	Registry ResourceID
	ID       string
	Created  time.Time
	Attempt  int
	// Group is a container group in the place of a run. Registry, ID and Attempt
	// are zero then, and Created is when it was made.
	Group ResourceID
}

// OfGroup reports whether the key names a container group.
func (k RunKey) OfGroup() bool { return k.Group.Subscription != "" }

// Kind is the word for what the key names: "run" or "container group".
func (k RunKey) Kind() string {
	if k.OfGroup() {
		return "container group"
	}
	return "run"
}

// String names the run or the group for people.
func (k RunKey) String() string {
	if k.OfGroup() {
		return k.Kind() + " " + k.Group.Name()
	}
	return k.Kind() + " " + k.ID
}

// Key returns what names the present attempt of a run.
func (r RunRecord) Key() RunKey {
	return RunKey{Registry: r.Registry, ID: r.ID, Created: r.Created, Attempt: r.Attempts}
}

// Resource returns the resource id of the run or the group.
func (k RunKey) Resource() ResourceID {
	if k.OfGroup() {
		return k.Group
	}
	return k.Registry.Child("runs", k.ID)
}

// Acts reports whether a record is of this attempt of the run, and that goes on.
func (k RunKey) Acts(r RunRecord) bool {
	return r.Attempts == k.Attempt && r.Created.Equal(k.Created) && (r.Status == RunStarted || r.Status == RunRunning)
}
