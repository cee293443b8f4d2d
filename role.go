package drydock

import (
	"context"
	"time"
)

// RoleAssignment gives a principal a role on a scope and all that is below it.
type RoleAssignment struct {
	ID        string     // a GUID in lower case, unique in its scope
	Scope     ResourceID // a subscription, a group or a resource
	Role      string     // GUID of the role, as Azure has it, in lower case
	Principal string     // object id
	Created   time.Time
}

// RoleFilter selects role assignments; empty fields select all.
type RoleFilter struct {
	Principal string
	Below     ResourceID // the scope is this one or below it
}

// RoleStore keeps role assignments. Its methods may be called from several
// goroutines.
type RoleStore interface {
	// RoleAssignments returns the selected ones, ordered by scope and id.
	RoleAssignments(ctx context.Context, f RoleFilter) ([]RoleAssignment, error)

	// PutRoleAssignment creates or replaces an assignment. When the principal has
	// the role on that scope under another id, the error has code Conflict.
	PutRoleAssignment(ctx context.Context, a RoleAssignment) error

	// DeleteRoleAssignment deletes one; code NotFound when there is none.
	DeleteRoleAssignment(ctx context.Context, scope ResourceID, id string) error

	// DeleteRoleAssignments deletes all whose scope is this one or below it.
	DeleteRoleAssignments(ctx context.Context, below ResourceID) error
}
