package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/drydockhq/drydock"
)

var (
	_ drydock.ArtifactStore = (*Store)(nil)
	_ drydock.ArtifactIndex = (*Store)(nil)
	_ drydock.BlobIndex     = (*Store)(nil)
	_ drydock.UsageStore    = (*Store)(nil)
)

// Bits of the column locks.
const (
	lockDelete = 1 << iota
	lockWrite
	lockList
	lockRead
)

func toLocks(a drydock.Attributes) int {
	locks := 0
	for _, l := range []struct {
		allowed bool
		bit     int
	}{{a.Delete, lockDelete}, {a.Write, lockWrite}, {a.List, lockList}, {a.Read, lockRead}} {
		if !l.allowed {
			locks |= l.bit
		}
	}
	return locks
}

func fromLocks(locks int) drydock.Attributes {
	return drydock.Attributes{
		Delete: locks&lockDelete == 0, Write: locks&lockWrite == 0,
		List: locks&lockList == 0, Read: locks&lockRead == 0,
	}
}

// place is where something is, as the tables of artifacts have it.
type place struct{ registry, repository, reference string }

func placeOf(ref drydock.ArtifactRef) place {
	return place{idKey(ref.Registry), ref.Repository, ref.Reference}
}

// isDigest tells digests from tags, which have no colon.
func isDigest(reference string) bool { return strings.Contains(reference, ":") }

// row returns the table and the condition that select what a place names.
func (p place) row() (table, where string, args []any) {
	switch {
	case p.reference == "":
		return "repositories", "registry = $1 AND name = $2", []any{p.registry, p.repository}
	case isDigest(p.reference):
		table, where = "manifests", "registry = $1 AND repository = $2 AND digest = $3"
	default:
		table, where = "tags", "registry = $1 AND repository = $2 AND name = $3"
	}
	return table, where, []any{p.registry, p.repository, p.reference}
}

// unknown is the error for what is not there.
func (p place) unknown() error {
	switch {
	case p.reference == "":
		return drydock.Errorf(drydock.NotFound, "there is no repository %s", p.repository)
	case isDigest(p.reference):
		return drydock.Errorf(drydock.NotFound, "there is no manifest %s@%s", p.repository, p.reference)
	}
	return drydock.Errorf(drydock.NotFound, "there is no tag %s:%s", p.repository, p.reference)
}

// locked is the error for what attributes forbid.
func (p place) locked(what string) error {
	name := p.repository
	switch {
	case isDigest(p.reference):
		name += "@" + p.reference
	case p.reference != "":
		name += ":" + p.reference
	}
	return drydock.Errorf(drydock.Conflict, "%s is locked: it may not be %s", name, what).
		WithHint("its changeable attributes say so")
}

// attributes reads the attributes of what a place names.
func attributes(ctx context.Context, tx *sql.Tx, p place) (drydock.Attributes, error) {
	table, where, args := p.row()
	var locks int
	err := tx.QueryRowContext(ctx, "SELECT locks FROM "+table+" WHERE "+where, args...).Scan(&locks)
	if errors.Is(err, sql.ErrNoRows) {
		return drydock.Attributes{}, p.unknown()
	}
	return fromLocks(locks), err
}

// SetAttributes implements drydock.ArtifactStore.
func (s *Store) SetAttributes(ctx context.Context, ref drydock.ArtifactRef, change drydock.AttributesChange) error {
	p := placeOf(ref)
	return s.write(ctx, func(tx *sql.Tx) error {
		a, err := attributes(ctx, tx, p)
		if err != nil {
			return err
		}
		table, where, args := p.row()
		_, err = tx.ExecContext(ctx, "UPDATE "+table+" SET locks = $"+strconv.Itoa(len(args)+1)+" WHERE "+where,
			append(args, toLocks(change.Apply(a)))...)
		return err
	})
}
