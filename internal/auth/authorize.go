package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// Assignments reads the role assignments of a principal; a drydock.RoleStore is one.
type Assignments interface {
	RoleAssignments(ctx context.Context, f drydock.RoleFilter) ([]drydock.RoleAssignment, error)
}

// Rights are what one principal may do.
type Rights struct{ grants []grant }

type grant struct {
	scope string // key of the scope, "/subscriptions/…"
	role  Role
}

// RightsOf returns the rights of a principal at this moment. A run has those of
// pushing, pulling and deleting in its own registry, and no others; so has the
// admin user of a registry. What surveys a registry reads it.
func RightsOf(ctx context.Context, roles Assignments, p drydock.Principal) (Rights, error) {
	switch p.Kind {
	case drydock.RunIdentity:
		return rightsTo(p.Owner.Parent(), AcrPushRole, AcrDeleteRole), nil
	case drydock.SurveyIdentity:
		return rightsTo(p.Owner, AcrPullRole), nil
	case drydock.AdminUser:
		return rightsTo(p.Owner, AcrPushRole, AcrDeleteRole), nil
	}
	var r Rights
	for _, holder := range append([]string{p.ID}, p.Groups...) {
		assignments, err := roles.RoleAssignments(ctx, drydock.RoleFilter{Principal: holder})
		if err != nil {
			return Rights{}, fmt.Errorf("reading the roles of %s: %w", holder, err)
		}
		for _, a := range assignments {
			if role, ok := RoleByID(a.Role); ok && a.Principal == holder {
				r.grants = append(r.grants, grant{a.Scope.Key(), role})
			}
		}
	}
	return r, nil
}

// rightsTo are the rights of roles in a registry.
func rightsTo(registry drydock.ResourceID, roles ...string) Rights {
	var r Rights
	for _, id := range roles {
		if role, ok := RoleByID(id); ok {
			r.grants = append(r.grants, grant{registry.Key(), role})
		}
	}
	return r
}

// Allow reports whether an action is allowed on a scope.
func (r Rights) Allow(action string, scope drydock.ResourceID) bool {
	key := scope.Key()
	for _, g := range r.grants {
		if within(key, g.scope) && g.role.Allows(action) {
			return true
		}
	}
	return false
}

// AllowSomewhere reports whether an action is allowed on a scope or on anything
// that is or may come to be below it. Lists use it: they then show only what
// their reader may read.
func (r Rights) AllowSomewhere(action string, scope drydock.ResourceID) bool {
	key := scope.Key()
	for _, g := range r.grants {
		if (within(key, g.scope) || within(g.scope, key)) && g.role.Allows(action) {
			return true
		}
	}
	return false
}

// None reports that there are no rights at all.
func (r Rights) None() bool { return len(r.grants) == 0 }

// within reports whether a key is that of a scope or of something below it.
func within(key, scope string) bool {
	return key == scope || strings.HasPrefix(key, scope) && key[len(scope)] == '/'
}

// Authorize returns nil if a principal may do an action on a scope, and an
// error with code Denied, worded as Azure's, if not. Every decision about what
// somebody may do is made here or in the Rights that it asks.
func Authorize(ctx context.Context, roles Assignments, p drydock.Principal, action string, scope drydock.ResourceID) error {
	rights, err := RightsOf(ctx, roles, p)
	if err != nil {
		return err
	}
	if !rights.Allow(action, scope) {
		return Forbidden(p, action, scope)
	}
	return nil
}

// Forbidden returns the error of a principal that may not do an action.
func Forbidden(p drydock.Principal, action string, scope drydock.ResourceID) *drydock.Error {
	return drydock.Errorf(drydock.Denied,
		"The client '%s' with object id '%s' does not have authorization to perform action '%s' over scope '%s'.",
		p.Known(), p.ID, action, scope)
}
