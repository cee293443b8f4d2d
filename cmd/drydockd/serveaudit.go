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
// afterwards what became of it. Vaults keep their own records.
func (d *daemon) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
			next.ServeHTTP(w, r)
			return
		}
		n := &auditNote{d: d, from: peerOf(r)}
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
}

// begin writes the record. It is a drydock.Witness.
func (n *auditNote) begin(ctx context.Context, a drydock.Act) error {
	if n.noted {
		return nil
	}
	from := n.from
	if a.Principal.Run != nil {
		from = vault.RunOrigin(*a.Principal.Run)
	}
	n.record = drydock.AuditRecord{
		ID: uuid.NewString(), Time: n.d.now(), Principal: a.Principal.ID, AppID: a.Principal.AppID, Name: a.Principal.Name,
		From: from, Action: a.Action, Target: a.Target, Result: drydock.AuditStarted,
	}
	if err := n.d.audit.Record(ctx, n.record); err != nil {
		return drydock.Errorf(drydock.Unavailable, "the audit log can't be written: %w", err)
	}
	n.noted = true
	return nil
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
