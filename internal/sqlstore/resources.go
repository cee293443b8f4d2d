package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

const resourceColumns = `id, location, body, secrets, etag, created, updated, global_name, alias`

// Resource implements drydock.ResourceStore.
func (s *Store) Resource(ctx context.Context, id drydock.ResourceID) (drydock.Resource, error) {
	var r drydock.Resource
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		r, err = resource(ctx, tx, id)
		return err
	})
	return r, err
}

// Resources implements drydock.ResourceStore.
func (s *Store) Resources(ctx context.Context, f drydock.ResourceFilter) ([]drydock.Resource, error) {
	var c conditions
	c.below("key", f.Below, false)
	if f.Type != "" {
		c.add("type = ?", strings.ToLower(f.Type))
	}
	if f.Name != "" {
		c.add("name = ?", strings.ToLower(f.Name))
	}
	if f.Alias != "" {
		c.add("alias = ?", f.Alias)
	}
	read := func(tx *sql.Tx, c *conditions) ([]drydock.Resource, error) {
		return list(ctx, tx, scanResource, `SELECT `+resourceColumns+` FROM resources`+c.where()+` ORDER BY key`, c.args...)
	}
	var found []drydock.Resource
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		if len(f.IDs) == 0 {
			found, err = read(tx, &c)
			return err
		}
		keys := taskKeys(f.IDs)
		slices.Sort(keys)
		return inParts(slices.Compact(keys), func(_ *conditions, part []string) error {
			some := conditions{slices.Clone(c.texts), slices.Clone(c.args)}
			in(&some, "key", part)
			more, err := read(tx, &some)
			found = append(found, more...)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("listing resources: %w", err)
	}
	return found, nil
}

// PutResource implements drydock.ResourceStore.
func (s *Store) PutResource(ctx context.Context, r drydock.Resource, ifMatch string) (drydock.Resource, error) {
	var stored drydock.Resource
	err := s.write(ctx, func(tx *sql.Tx) error {
		stored = r
		old, err := resource(ctx, tx, r.ID)
		switch {
		case err == nil:
			stored.ID, stored.Created = old.ID, old.Created
		case drydock.CodeOf(err) != drydock.NotFound:
			return err
		}
		if err := matches(r.ID, old, ifMatch); err != nil {
			return err
		}
		stored.ETag = rand.Text()
		return putResource(ctx, tx, &stored)
	})
	if err != nil {
		return drydock.Resource{}, fmt.Errorf("storing %s: %w", r.ID.Name(), err)
	}
	return stored, nil
}

// DeleteResource implements drydock.ResourceStore.
func (s *Store) DeleteResource(ctx context.Context, id drydock.ResourceID) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		if _, err := resource(ctx, tx, id); err != nil {
			return err
		}
		return errors.Join(
			deletePrincipalsBelow(ctx, tx, id),
			deleteBelow(ctx, tx, "role_assignments", "scope_key", id),
			deleteBelow(ctx, tx, "resources", "key", id), // and their runs
		)
	})
	if err != nil {
		return fmt.Errorf("deleting %s: %w", id.Name(), err)
	}
	return nil
}

func resource(ctx context.Context, tx *sql.Tx, id drydock.ResourceID) (drydock.Resource, error) {
	r, err := scanResource(tx.QueryRowContext(ctx,
		`SELECT `+resourceColumns+` FROM resources WHERE key = $1`, id.Key()))
	if errors.Is(err, sql.ErrNoRows) {
		return r, drydock.Errorf(drydock.NotFound, "there is no resource %s", id)
	}
	if err != nil {
		return r, fmt.Errorf("reading %s: %w", id.Name(), err)
	}
	return r, nil
}

// matches checks what a writer asks of the stored resource; the zero one stands
// for none.
func matches(id drydock.ResourceID, old drydock.Resource, ifMatch string) error {
	switch {
	case ifMatch == "", ifMatch == old.ETag, ifMatch == "*" && old.ETag != "":
		return nil
	case old.ETag == "":
		return drydock.Errorf(drydock.Conflict, "there is no resource %s to replace", id)
	}
	return drydock.Errorf(drydock.Conflict, "%s was changed meanwhile", id).
		WithHint("read it again and repeat the change")
}

// putResource writes r. A new one gets the spelling of what it is below.
func putResource(ctx context.Context, tx *sql.Tx, r *drydock.Resource) error {
	var parentKey *string
	if parent := r.ID.Parent(); parent.Group != "" && (r.ID.Namespace != "") {
		p, err := resource(ctx, tx, parent)
		if err != nil {
			return err
		}
		r.ID = r.ID.Under(p.ID)
		key := parent.Key()
		parentKey = &key
	}
	kind, name := strings.ToLower(r.ID.Type()), strings.ToLower(r.ID.Name())
	var globalName, alias *string
	if r.GlobalName {
		text := kind + " " + name
		globalName = &text
	}
	if r.Alias != "" {
		alias = &r.Alias
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO resources
			(key, id, parent, type, name, global_name, alias, location, body, secrets, etag, created, updated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (key) DO UPDATE SET global_name = excluded.global_name, alias = excluded.alias,
			location = excluded.location, body = excluded.body, secrets = excluded.secrets, etag = excluded.etag, updated = excluded.updated`,
		r.ID.Key(), r.ID.String(), parentKey, kind, name, globalName, alias,
		r.Location, r.Body, r.Secrets, r.ETag, nanos(r.Created), nanos(r.Updated))
	if breaksUnique(err) {
		return taken(r)
	}
	return err
}

// taken says that another resource has one of the names that r wants for itself.
func taken(r *drydock.Resource) error {
	if r.Alias != "" {
		return drydock.Errorf(drydock.Conflict, "the name %s or %s is taken", r.ID.Name(), r.Alias)
	}
	return drydock.Errorf(drydock.Conflict, "the name %s is taken", r.ID.Name())
}

func deleteBelow(ctx context.Context, tx *sql.Tx, table, column string, id drydock.ResourceID) error {
	var c conditions
	c.below(column, id, true)
	_, err := tx.ExecContext(ctx, `DELETE FROM `+table+c.where(), c.args...)
	return err
}

func scanResource(row scanner) (drydock.Resource, error) {
	var (
		r                drydock.Resource
		id               string
		created, updated int64
		globalName       *string
		alias            sql.NullString
	)
	err := row.Scan(&id, &r.Location, &r.Body, &r.Secrets, &r.ETag, &created, &updated, &globalName, &alias)
	if err != nil {
		return drydock.Resource{}, err
	}
	r.Created, r.Updated, r.GlobalName = fromNanos(created), fromNanos(updated), globalName != nil
	r.Alias = alias.String
	r.ID, err = resourceID(id)
	return r, err
}
