package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/audit"
)

// notes is where an audit log is kept.
type notes struct {
	mu      sync.Mutex
	records map[string]drydock.AuditRecord // by target
}

func (n *notes) keep(_ context.Context, records []drydock.AuditRecord) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range records {
		n.records[r.Target] = r
	}
	return nil
}

func (n *notes) AppendAudit(ctx context.Context, records []drydock.AuditRecord) error {
	return n.keep(ctx, records)
}

func (n *notes) EndAudit(ctx context.Context, records []drydock.AuditRecord) error {
	return n.keep(ctx, records)
}

// No path keeps a write out of the audit log, however repositories are called.
func TestEveryWriteIsNoted(t *testing.T) {
	t.Parallel()
	kept := &notes{records: map[string]drydock.AuditRecord{}}
	d := &daemon{audit: audit.New(kept, slog.New(slog.DiscardHandler)), now: time.Now}
	handler := d.audited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := drydock.Witnessed(r.Context(), drydock.Act{Principal: drydock.Principal{ID: "somebody"}, Action: r.Method, Target: r.URL.Path})
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	want := map[string]string{
		"/v2/app/manifests/v1":                 http.MethodPut,
		"/v2/app/blobs/uploads/x/manifests/v1": http.MethodPut,
		"/acr/v1/app/blobs/uploads/x/_tags/v1": http.MethodDelete,
		"/subscriptions/s/blobs/uploads/x":     http.MethodPost,
		"/v1.0/users/blobs/uploads/x":          http.MethodPatch,
	}
	for path, method := range want {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, path, nil))
	}
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/app/manifests/read", nil))
	if err := d.audit.Close(); err != nil {
		t.Fatal(err)
	}
	for path, method := range want {
		if r := kept.records[path]; r.Action != method || r.Principal != "somebody" || r.Result != drydock.AuditDenied {
			t.Errorf("%s %s is noted as %+v", method, path, r)
		}
	}
	if len(kept.records) != len(want) {
		t.Errorf("there are %d notes of %d writes: %+v", len(kept.records), len(want), kept.records)
	}
}
