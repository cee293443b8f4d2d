package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/drydockhq/drydock"
)

var _ drydock.PeopleStore = (*Store)(nil)

// PrincipalByLogin implements drydock.PeopleStore.
func (s *Store) PrincipalByLogin(ctx context.Context, login string) (drydock.Principal, error) {
	var id string
	err := s.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `SELECT principal FROM people WHERE login = $1`, login).Scan(&id)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return drydock.Principal{}, drydock.Errorf(drydock.NotFound, "there is no user %s", login)
	}
	if err != nil {
		return drydock.Principal{}, err
	}
	return s.Principal(ctx, id)
}

// person returns what a user has beside other principals.
func person(ctx context.Context, tx *sql.Tx, id string) (*drydock.Person, error) {
	var p drydock.Person
	err := tx.QueryRowContext(ctx, `SELECT login, issuer, disabled, must_change FROM people WHERE principal = $1`, id).
		Scan(&p.Login, &p.Issuer, &p.Disabled, &p.MustChange)
	return &p, err
}

// putPerson keeps what a user has beside other principals.
func putPerson(ctx context.Context, tx *sql.Tx, id string, p *drydock.Person) error {
	if p == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO people (principal, login, issuer, disabled, must_change)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (principal) DO UPDATE SET login = excluded.login, issuer = excluded.issuer,
			disabled = excluded.disabled, must_change = excluded.must_change`,
		id, p.Login, p.Issuer, p.Disabled, p.MustChange)
	if breaksUnique(err) {
		return drydock.Errorf(drydock.Conflict, "another user has the name %s", p.Login)
	}
	return err
}

// complete reads what of a principal is in other tables.
func complete(ctx context.Context, tx *sql.Tx, p *drydock.Principal) (err error) {
	if p.Secrets, err = principalSecrets(ctx, tx, p.ID); err != nil || p.Kind != drydock.User {
		return err
	}
	p.Person, err = person(ctx, tx, p.ID)
	return err
}
