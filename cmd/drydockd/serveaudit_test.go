package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
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

// What a request does beside what it is for has a record of its own, also in a
// read, with what became of it and not of the request.
func TestAsidesAreNoted(t *testing.T) {
	t.Parallel()
	kept := &notes{records: map[string]drydock.AuditRecord{}}
	d := &daemon{audit: audit.New(kept, slog.New(slog.DiscardHandler)), now: time.Now}
	handler := d.audited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		trouble := error(nil)
		if r.Method == http.MethodHead {
			trouble = errors.New("the disk is full")
		}
		aside := drydock.Act{Principal: drydock.Principal{ID: "newcomer"}, Action: "arrives", Target: "aside " + r.Method}
		if err := drydock.WitnessedAside(r.Context(), aside, func() error { return trouble }); !errors.Is(err, trouble) {
			t.Error(err)
		}
		if err := drydock.Witnessed(r.Context(), drydock.Act{Principal: drydock.Principal{ID: "newcomer"}, Action: "asks", Target: r.Method}); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, "/", nil))
	}
	if err := d.audit.Close(); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for target, r := range kept.records {
		got[target] = r.Principal + " " + r.Action + " " + string(r.Result)
	}
	want := map[string]string{
		"aside GET": "newcomer arrives Succeeded", "aside HEAD": "newcomer arrives Failed",
		"aside POST": "newcomer arrives Succeeded", "POST": "newcomer asks Denied",
	}
	if !maps.Equal(got, want) {
		t.Errorf("noted is %v, want %v", got, want)
	}
}
