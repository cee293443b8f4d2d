package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/drydockhq/drydock"
)

// Manifests implements drydock.ArtifactIndex.
func (s *Store) Manifests(ctx context.Context, f drydock.ManifestFilter) ([]drydock.Manifest, error) {
	var c conditions
	c.add("m.registry = ? AND m.repository = ?", idKey(f.Registry), f.Repository)
	if f.Digest != "" {
		c.add("m.digest = ?", f.Digest)
	}
	if f.Subject != "" {
		c.add("m.subject = ?", f.Subject)
	}
	if f.ArtifactType != "" {
		c.add("m.artifact_type = ?", f.ArtifactType)
	}
	if !f.Hidden {
		c.add("m.locks % 8 < 4")
	}
	var all []drydock.Manifest
	err := s.read(ctx, func(tx *sql.Tx) error {
		tail, err := pageTail(ctx, tx, &c, "manifests", "m", "digest", f.Order, f.Page)
		if err != nil {
			return err
		}
		all, err = list(ctx, tx, func(row scanner) (drydock.Manifest, error) {
			return scanManifest(row, f.Registry, f.Repository)
		}, `SELECT `+manifestColumns+` FROM manifests m`+c.where()+tail, c.args...)
		if err != nil {
			return err
		}
		return addTags(ctx, tx, all)
	})
	return all, err
}

func addTags(ctx context.Context, tx *sql.Tx, all []drydock.Manifest) error {
	for i := range all {
		m := &all[i]
		var err error
		if m.Tags, err = texts(ctx, tx, `SELECT name FROM tags WHERE registry = $1 AND repository = $2 AND digest = $3
			AND locks % 8 < 4 ORDER BY name`, idKey(m.Registry), m.Repository, m.Digest); err != nil {
			return err
		}
	}
	return nil
}

// pageTail adds the start of a page to the conditions and returns the ORDER BY
// and LIMIT clauses. By time, pages go on after the time of the last entry, and
// after its name among those of the same time.
func pageTail(ctx context.Context, tx *sql.Tx, c *conditions, table, alias, name string, order drydock.Order, page drydock.Page) (string, error) {
	column, updated := alias+"."+name, alias+".updated"
	compare, direction := ">", ""
	if order == drydock.NewestTop {
		compare, direction = "<", " DESC"
	}
	byTime := order == drydock.NewestTop || order == drydock.OldestTop
	switch {
	case page.After == "":
	case !byTime:
		c.add(column+" > ?", page.After)
	default:
		var last int64
		err := tx.QueryRowContext(ctx, "SELECT updated FROM "+table+" WHERE registry = $1 AND repository = $2 AND "+name+" = $3",
			c.args[0], c.args[1], page.After).Scan(&last)
		if errors.Is(err, sql.ErrNoRows) {
			return "", drydock.Errorf(drydock.Invalid, "the page begins after %q, which is gone", page.After)
		}
		if err != nil {
			return "", err
		}
		c.add("("+updated+" "+compare+" ? OR "+updated+" = ? AND "+column+" > ?)", last, last, page.After)
	}
	tail := " ORDER BY " + column
	if byTime {
		tail = " ORDER BY " + updated + direction + ", " + column
	}
	if page.Limit > 0 {
		tail += " LIMIT " + strconv.Itoa(page.Limit)
	}
	return tail, nil
}
