package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// AppendAudit implements drydock.AuditStore.
func (s *Store) AppendAudit(ctx context.Context, records []drydock.AuditRecord) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		insert, err := tx.PrepareContext(ctx, `INSERT INTO audit
				(number, id, time, principal, app_id, name, origin, action, target, target_key, result, status, detail)
			VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM audit), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, r := range records {
			_, err := insert.ExecContext(ctx, r.ID, nanos(r.Time), r.Principal, r.AppID, r.Name, r.From, r.Action,
				r.Target, strings.ToLower(r.Target), string(r.Result), r.Status, r.Detail)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// EndAudit implements drydock.AuditStore.
func (s *Store) EndAudit(ctx context.Context, records []drydock.AuditRecord) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		for _, r := range records {
			_, err := tx.ExecContext(ctx, `UPDATE audit SET result = $2, status = $3, detail = $4 WHERE id = $1`,
				r.ID, string(r.Result), r.Status, r.Detail)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// Audit implements drydock.AuditStore.
func (s *Store) Audit(ctx context.Context, f drydock.AuditFilter) ([]drydock.AuditRecord, error) {
	var c conditions
	if !f.From.IsZero() {
		c.add("time >= ?", nanos(f.From))
	}
	if !f.To.IsZero() {
		c.add("time < ?", nanos(f.To))
	}
	if f.Principal != "" {
		c.add("principal = ?", f.Principal)
	}
	if key := strings.ToLower(f.Target); key != "" {
		c.add("(target_key = ? OR target_key > ? AND target_key < ?)", key, key+"/", key+"0")
	}
	if f.Before > 0 {
		c.add("number < ?", f.Before)
	}
	query := `SELECT number, id, time, principal, app_id, name, origin, action, target, result, status, detail
		FROM audit` + c.where() + ` ORDER BY number DESC`
	if f.Limit > 0 {
		c.args = append(c.args, f.Limit)
		query += fmt.Sprintf(" LIMIT $%d", len(c.args))
	}
	var found []drydock.AuditRecord
	err := s.read(ctx, func(tx *sql.Tx) (err error) {
		found, err = list(ctx, tx, scanAuditRecord, query, c.args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return found, nil
}

// DeleteAudit implements drydock.AuditStore.
func (s *Store) DeleteAudit(ctx context.Context, before time.Time) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		// The newest stays, so that no number is given again.
		_, err := tx.ExecContext(ctx, `DELETE FROM audit WHERE time < $1 AND number < (SELECT MAX(number) FROM audit)`, nanos(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting old records of the audit log: %w", err)
	}
	return nil
}

func scanAuditRecord(row scanner) (drydock.AuditRecord, error) {
	var (
		r      drydock.AuditRecord
		at     int64
		result string
	)
	err := row.Scan(&r.Number, &r.ID, &at, &r.Principal, &r.AppID, &r.Name, &r.From, &r.Action, &r.Target, &result, &r.Status, &r.Detail)
	r.Time, r.Result = fromNanos(at), drydock.AuditResult(result)
	return r, err
}
