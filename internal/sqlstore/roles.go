package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/drydockhq/drydock"
)

// RoleAssignments implements drydock.RoleStore.
func (s *Store) RoleAssignments(ctx context.Context, f drydock.RoleFilter) ([]drydock.RoleAssignment, error) {
	var c conditions
	if f.Principal != "" {
		c.add("principal = ?", f.Principal)
	}
	c.below("scope_key", f.Below, true)
	query := `SELECT id, scope, role, principal, created FROM role_assignments` + c.where() + ` ORDER BY scope_key, id`
	var found []drydock.RoleAssignment
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanRoleAssignment, query, c.args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing role assignments: %w", err)
	}
	return found, nil
}

// PutRoleAssignment implements drydock.RoleStore.
func (s *Store) PutRoleAssignment(ctx context.Context, a drydock.RoleAssignment) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO role_assignments (scope_key, id, scope, role, principal, created)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (scope_key, id) DO UPDATE SET role = excluded.role, principal = excluded.principal,
				created = excluded.created`,
			idKey(a.Scope), a.ID, idText(a.Scope), a.Role, a.Principal, nanos(a.Created))
		if breaksUnique(err) {
			return drydock.Errorf(drydock.Conflict, "the principal has that role there already")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the role assignment %s: %w", a.ID, err)
	}
	return nil
}

// DeleteRoleAssignment implements drydock.RoleStore.
func (s *Store) DeleteRoleAssignment(ctx context.Context, scope drydock.ResourceID, id string) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		found, err := affectsOne(ctx, tx, `DELETE FROM role_assignments WHERE scope_key = $1 AND id = $2`, idKey(scope), id)
		if err == nil && !found {
			return drydock.Errorf(drydock.NotFound, "there is none on %s", scope)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting the role assignment %s: %w", id, err)
	}
	return nil
}

// DeleteRoleAssignments implements drydock.RoleStore.
func (s *Store) DeleteRoleAssignments(ctx context.Context, below drydock.ResourceID) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		return deleteBelow(ctx, tx, "role_assignments", "scope_key", below)
	})
	if err != nil {
		return fmt.Errorf("deleting the role assignments of %s: %w", below.Name(), err)
	}
	return nil
}

func scanRoleAssignment(row scanner) (drydock.RoleAssignment, error) {
	var (
		a       drydock.RoleAssignment
		scope   string
		created int64
	)
	if err := row.Scan(&a.ID, &scope, &a.Role, &a.Principal, &created); err != nil {
		return drydock.RoleAssignment{}, err
	}
	a.Created = fromNanos(created)
	var err error
	a.Scope, err = resourceID(scope)
	return a, err
}
