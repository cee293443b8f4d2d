package main

import (
	"context"
	"net"
	"net/http"

	"github.com/google/uuid"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/vault"
)

// audited notes what is done on a host in the audit log: before it is done, and
// afterwards what became of it. Of reads it notes what they change aside. Vaults
// keep their own records.
func (d *daemon) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &auditNote{d: d, from: peerOf(r)}
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			next.ServeHTTP(w, r.WithContext(drydock.WithWitness(r.Context(), n.asideOnly)))
			return
		}
		s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		status := http.StatusInternalServerError // of one that panics
		defer func() { n.end(status) }()
		next.ServeHTTP(s, r.WithContext(drydock.WithWitness(r.Context(), n.begin)))
		status = s.status
	})
}

// peerOf returns the address that a request is from.
func peerOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// auditNote is the record of one request.
type auditNote struct {
	d      *daemon
	from   string
	record drydock.AuditRecord
	noted  bool
	aside  drydock.AuditRecord // of what goes on beside the request
}

// begin writes the record. It is a drydock.Witness.
func (n *auditNote) begin(ctx context.Context, a drydock.Act) (err error) {
	if a.Aside {
		return n.asideOnly(ctx, a)
	}
	if n.noted {
		return nil
	}
	n.record, err = n.write(ctx, a)
	n.noted = err == nil
	return err
}

// asideOnly is a drydock.Witness of what goes on beside a request.
func (n *auditNote) asideOnly(ctx context.Context, a drydock.Act) (err error) {
	switch {
	case !a.Aside:
	case a.Result == "":
		n.aside, err = n.write(ctx, a)
	default:
		n.aside.Result = a.Result
		n.d.audit.End(n.aside)
	}
	return err
}

// write stores the record of what has begun.
func (n *auditNote) write(ctx context.Context, a drydock.Act) (drydock.AuditRecord, error) {
	from := n.from
	if a.Principal.Run != nil {
		from = vault.RunOrigin(*a.Principal.Run)
	}
	r := drydock.AuditRecord{
		ID: uuid.NewString(), Time: n.d.now(), Principal: a.Principal.ID, AppID: a.Principal.AppID, Name: a.Principal.Name,
		From: from, Action: a.Action, Target: a.Target, Result: drydock.AuditStarted,
	}
	if err := n.d.audit.Record(ctx, r); err != nil {
		return r, drydock.Errorf(drydock.Unavailable, "the audit log can't be written: %w", err)
	}
	return r, nil
}

// end sets what became of it.
func (n *auditNote) end(status int) {
	if !n.noted {
		return
	}
	switch n.record.Status = status; {
	case status < http.StatusBadRequest:
		n.record.Result = drydock.AuditSucceeded
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		n.record.Result = drydock.AuditDenied
	default:
		n.record.Result = drydock.AuditFailed
	}
	n.d.audit.End(n.record)
}
