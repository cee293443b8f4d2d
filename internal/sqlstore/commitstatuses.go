package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

const selectCommitStatus = `SELECT resources.id, c.run, c.task, c.name, c.repository, c.revision, c.pull, c.link, c.state, c.text,
	c.told, c.attempts, c.due, c.created FROM commit_statuses c JOIN resources ON resources.key = c.registry`

// PutCommitStatus implements drydock.CommitStatusStore.
func (s *Store) PutCommitStatus(ctx context.Context, c drydock.CommitStatus) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO commit_statuses
				(registry, run, task, name, repository, revision, pull, link, state, text, told, attempts, due, created)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
			ON CONFLICT (registry, run) DO UPDATE SET task = excluded.task, name = excluded.name,
				repository = excluded.repository, revision = excluded.revision, pull = excluded.pull, link = excluded.link,
				state = excluded.state, text = excluded.text, told = excluded.told,
				attempts = excluded.attempts, due = excluded.due, created = excluded.created`,
			c.Registry.Key(), strings.ToLower(c.Run), idText(c.Task), c.Trigger, c.Repository, c.Commit, c.Pull, c.Link,
			string(c.State), c.Text, string(c.Told), c.Attempts, nanos(c.Due), nanos(c.Created))
		if breaksForeignKey(err) {
			return drydock.Errorf(drydock.NotFound, "there is no registry %s", c.Registry)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("storing the commit status of run %s: %w", c.Run, err)
	}
	return nil
}

// CommitStatus implements drydock.CommitStatusStore.
func (s *Store) CommitStatus(ctx context.Context, registry drydock.ResourceID, run string) (drydock.CommitStatus, error) {
	return s.commitStatus(ctx, selectCommitStatus+` WHERE c.registry = $1 AND c.run = $2`, registry.Key(), strings.ToLower(run))
}

// LinkedCommitStatus implements drydock.CommitStatusStore.
func (s *Store) LinkedCommitStatus(ctx context.Context, link string) (drydock.CommitStatus, error) {
	return s.commitStatus(ctx, selectCommitStatus+` WHERE c.link = $1`, link)
}

func (s *Store) commitStatus(ctx context.Context, query string, args ...any) (drydock.CommitStatus, error) {
	var c drydock.CommitStatus
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		c, err = scanCommitStatus(tx.QueryRowContext(ctx, query, args...))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return c, drydock.Errorf(drydock.NotFound, "there is no such commit status")
	}
	if err != nil {
		return c, fmt.Errorf("reading a commit status: %w", err)
	}
	return c, nil
}

// FirstCommitStatuses implements drydock.CommitStatusStore.
func (s *Store) FirstCommitStatuses(ctx context.Context, limit int) ([]drydock.CommitStatus, error) {
	var found []drydock.CommitStatus
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanCommitStatus, selectCommitStatus+` WHERE c.due > 0 ORDER BY c.due, c.registry, c.run LIMIT $1`, limit)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading commit statuses: %w", err)
	}
	return found, nil
}

// DeleteCommitStatuses implements drydock.CommitStatusStore.
func (s *Store) DeleteCommitStatuses(ctx context.Context, before time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM commit_statuses WHERE created < $1`, nanos(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting old commit statuses: %w", err)
	}
	return nil
}

func scanCommitStatus(row scanner) (drydock.CommitStatus, error) {
	var (
		c              drydock.CommitStatus
		registry, task string
		due, created   int64
	)
	err := row.Scan(&registry, &c.Run, &task, &c.Trigger, &c.Repository, &c.Commit, &c.Pull, &c.Link, &c.State, &c.Text,
		&c.Told, &c.Attempts, &due, &created)
	if err != nil {
		return drydock.CommitStatus{}, err
	}
	c.Due, c.Created = fromNanos(due), fromNanos(created)
	if c.Registry, err = resourceID(registry); err != nil {
		return c, err
	}
	c.Task, err = resourceID(task)
	return c, err
}
