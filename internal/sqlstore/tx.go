package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// busyFor is how long a call goes on trying while another process has the
// database locked.
const busyFor = 15 * time.Second

// txKey is the key of a store's transaction in a context.
type txKey struct{ store *Store }

// Atomically implements drydock.Transactor.
func (s *Store) Atomically(ctx context.Context, f func(ctx context.Context) error) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		return f(context.WithValue(ctx, txKey{s}, tx))
	})
}

// write calls f in a transaction that may write and commits it if f returns
// nil. It joins the transaction that ctx carries, if any. f may be called
// again, when the database was busy.
func (s *Store) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.transact(ctx, s.writer, f)
}

// read calls f in a transaction that sees one state of the database, or in the
// one that ctx carries.
func (s *Store) read(ctx context.Context, f func(tx *sql.Tx) error) error {
	return s.transact(ctx, s.reader, f)
}

func (s *Store) transact(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) error {
	if tx, ok := ctx.Value(txKey{s}).(*sql.Tx); ok {
		return f(tx)
	}
	start := time.Now()
	for {
		err := s.attempt(ctx, db, f)
		if !isBusy(err) || time.Since(start) > busyFor {
			return translate(err)
		}
		// SQLite itself has waited already.
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Store) attempt(ctx context.Context, db *sql.DB, f func(tx *sql.Tx) error) (err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		_ = tx.Rollback() // f's error says more than this one's
		s.events.ended(tx, err == nil)
		s.deliveries.ended(tx, err == nil)
	}()
	if err := f(tx); err != nil {
		return err
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
