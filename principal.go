package drydock

import (
	"context"
	"time"
)

// PrincipalKind says what sort of thing signs in.
type PrincipalKind string

// The kinds of principal.
const (
	// ServicePrincipal signs in with an application id and a secret.
	ServicePrincipal PrincipalKind = "ServicePrincipal"
	// Application is one that is registered and has no service principal: it
	// can't sign in and is given no roles.
	Application PrincipalKind = "Application"
	// ManagedIdentity belongs to a resource, such as a task, and ends with it.
	ManagedIdentity PrincipalKind = "ManagedIdentity"
	// RunIdentity belongs to a run and ends with it. It is derived from the run
	// and is in no store.
	RunIdentity PrincipalKind = "RunIdentity"
	// SurveyIdentity is the server itself when it reads a registry, its Owner, to
	// find out what a task would be made from. It is in no store.
	SurveyIdentity PrincipalKind = "SurveyIdentity"
	// AdminUser is the admin user of a registry, its Owner. It is in no store.
	AdminUser PrincipalKind = "AdminUser"
)

// Principal is somebody who signs in and to whom roles are given.
type Principal struct {
	ID      string // object id, a GUID in lower case
	AppID   string // client id, a GUID in lower case
	Kind    PrincipalKind
	Name    string     // shown to people
	Owner   ResourceID // the resource whose identity this is; zero for those without
	Secrets []PrincipalSecret
	Created time.Time
	Person  *Person // of the kind User; nil for others
	// Groups are the object ids of the groups that whoever signed in is in. They
	// are in no store.
	Groups []string
	// Run is what acts as this principal and can do so no longer than it lasts;
	// nil for whoever signs in itself. It is in no store.
	Run *RunKey
	// Confined says that it can do so only in requests that come out of Run, as can
	// what it gets there. It is in no store.
	Confined bool
}

// PrincipalSecret is one of the secrets that a principal signs in with. The
// secret itself is not kept.
type PrincipalSecret struct {
	ID      string // a GUID
	Name    string // shown to people; may be empty
	Hash    string // salted and stretched; the format is internal/auth's
	Created time.Time
	Expires time.Time // zero for never
}

// PrincipalStore keeps principals. Its methods may be called from several
// goroutines. A principal that is not there is an error with code NotFound.
type PrincipalStore interface {
	Principal(ctx context.Context, id string) (Principal, error)

	// PrincipalByAppID returns the principal with a client id.
	PrincipalByAppID(ctx context.Context, appID string) (Principal, error)

	// Principals returns those whose owner is the resource or below it, ordered
	// by id; with a zero id all.
	Principals(ctx context.Context, owner ResourceID) ([]Principal, error)

	// PutPrincipal creates or replaces a principal with its secrets.
	PutPrincipal(ctx context.Context, p Principal) error

	// DeletePrincipal deletes a principal, its secrets and its role assignments.
	DeletePrincipal(ctx context.Context, id string) error
}
