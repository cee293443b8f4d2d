package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/audit"
)

// auditAtOnce is how many records are read at a time.
const auditAtOnce = 500

func (p *program) auditCommand() *cobra.Command {
	var f configFlags
	var since time.Duration
	var principal string
	cmd := &cobra.Command{
		Use:   "audit [flags]",
		Short: "Print what was done on the server, by whom, from where and with what result",
		Long: `Print the audit log, a JSON object a line, the newest first: each write on the
server and each read of a secret. What has the result Started was cut off by the
end of the server. The log holds no values of secrets. The server may run
meanwhile.`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := f.load(p.environ)
			if err != nil {
				return err
			}
			filter := drydock.AuditFilter{Principal: principal, Limit: auditAtOnce}
			if since > 0 {
				filter.From = p.now().Add(-since)
			}
			return p.printAudit(cmd.Context(), c.Data, filter)
		},
	}
	f.bind(cmd.Flags(), "data")
	cmd.Flags().DurationVar(&since, "since", 0, "how far back, as 24h (default: all)")
	cmd.Flags().StringVar(&principal, "principal", "", "object id of who did it")
	return cmd
}

func (p *program) printAudit(ctx context.Context, dir string, filter drydock.AuditFilter) error {
	store, err := openData(ctx, dir)
	if err != nil {
		return err
	}
	defer store.Close()
	out := json.NewEncoder(p.stdout)
	out.SetEscapeHTML(false)
	for {
		records, err := store.Audit(ctx, filter)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := out.Encode(auditLine(r)); err != nil {
				return fmt.Errorf("printing the audit log: %w", err)
			}
			filter.Before = r.Number
		}
		if len(records) < filter.Limit {
			return nil
		}
	}
}

// auditLine is a record as it is printed.
func auditLine(r drydock.AuditRecord) any {
	return struct {
		Number    int64               `json:"number"`
		Time      time.Time           `json:"time"`
		Principal string              `json:"principal"`
		AppID     string              `json:"appId,omitempty"`
		Name      string              `json:"name,omitempty"`
		From      string              `json:"from"`
		Action    string              `json:"action"`
		Target    string              `json:"target"`
		Result    drydock.AuditResult `json:"result"`
		Status    int                 `json:"status,omitempty"`
		Detail    string              `json:"detail,omitempty"`
	}{r.Number, r.Time, r.Principal, r.AppID, r.Name, r.From, r.Action, r.Target, r.Result, r.Status, r.Detail}
}

// noted does what a command does beside the server, and notes it in the audit log,
// as the server's own writes are: before it begins, and again when it has ended.
// What was done is named by the record's Name, Action and Target.
func (p *program) noted(ctx context.Context, store audit.Store, note drydock.AuditRecord, do func() error) error {
	note.ID, note.Time, note.From, note.Result = uuid.NewString(), p.now(), "the server's machine", drydock.AuditStarted
	if err := store.AppendAudit(ctx, []drydock.AuditRecord{note}); err != nil {
		return err
	}
	err := do()
	note.Result = drydock.AuditSucceeded
	if err != nil {
		note.Result = drydock.AuditFailed
	}
	return errors.Join(err, store.EndAudit(context.WithoutCancel(ctx), []drydock.AuditRecord{note}))
}
