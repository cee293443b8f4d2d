package drydock

import (
	"context"
	"time"
)

// AuditResult says what became of what somebody did.
type AuditResult string

// The results.
const (
	// AuditStarted stands for what has begun, and of which no end is known when
	// the server ended meanwhile.
	AuditStarted   AuditResult = "Started"
	AuditSucceeded AuditResult = "Succeeded"
	AuditDenied    AuditResult = "Denied"
	AuditFailed    AuditResult = "Failed"
)

// AuditRecord says who did what, from where, and what became of it. It holds no
// values of secrets.
type AuditRecord struct {
	Number    int64 // in the order of writing; set by the store
	ID        string
	Time      time.Time
	Principal string // object id
	AppID     string // client id
	Name      string // of the principal, for people
	From      string // an address, or "run REGISTRY/ID"
	Action    string // such as "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	Target    string // a resource id, or a path
	Result    AuditResult
	Status    int    // of HTTP; 0 for none
	Detail    string // code of the error; empty for none
}

// AuditFilter selects records; empty fields select all.
type AuditFilter struct {
	From, To  time.Time // from, and before to
	Principal string    // object id
	Target    string    // this one or below it; its case does not matter
	Before    int64     // whose number is lower
	Limit     int
}

// AuditStore keeps the audit log. Its methods may be called from several
// goroutines.
type AuditStore interface {
	// AppendAudit adds records, all or none.
	AppendAudit(ctx context.Context, records []AuditRecord) error

	// EndAudit sets the result, the status and the detail of records that were
	// added, by their ids.
	EndAudit(ctx context.Context, records []AuditRecord) error

	// Audit returns the selected records, the newest first.
	Audit(ctx context.Context, f AuditFilter) ([]AuditRecord, error)

	// DeleteAudit deletes the records from before a time.
	DeleteAudit(ctx context.Context, before time.Time) error
}
