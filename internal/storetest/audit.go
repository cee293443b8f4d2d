package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
)

var auditTests = map[string]func(*testing.T, Store){
	"kept":    auditKept,
	"deleted": auditDeleted,
}

func auditRecords(t *testing.T, s Store, f drydock.AuditFilter) []drydock.AuditRecord {
	t.Helper()
	found, err := s.Audit(t.Context(), f)
	check(t, err)
	return found
}

func auditKept(t *testing.T, s Store) {
	records := make([]drydock.AuditRecord, 3)
	for i := range records {
		records[i] = drydock.AuditRecord{
			ID: fmt.Sprint("r", i), Time: day.Add(time.Duration(i) * time.Hour), Principal: fmt.Sprint("p", i%2), AppID: "app", Name: "n", From: "192.0.2.1",
			Action: "a/write", Target: "/Sub/a" + fmt.Sprint(i), Result: drydock.AuditStarted,
		}
	}
	check(t, s.AppendAudit(t.Context(), records[:1]))
	check(t, s.AppendAudit(t.Context(), records[1:]))
	if err := s.AppendAudit(t.Context(), []drydock.AuditRecord{{ID: "new"}, {ID: "r0"}}); err == nil {
		t.Error("an id was taken twice")
	}
	for i := range records {
		records[i].Number = int64(i + 1)
	}
	records[1].Result, records[1].Status, records[1].Detail = drydock.AuditFailed, 409, "Conflict"
	check(t, s.EndAudit(t.Context(), []drydock.AuditRecord{{ID: "r1", Result: drydock.AuditFailed, Status: 409, Detail: "Conflict"}, {ID: "none"}}))
	newestFirst := []drydock.AuditRecord{records[2], records[1], records[0]}
	for name, c := range map[string]struct {
		filter drydock.AuditFilter
		want   []drydock.AuditRecord
	}{
		"all":          {drydock.AuditFilter{}, newestFirst},
		"one":          {drydock.AuditFilter{Limit: 1}, newestFirst[:1]},
		"older":        {drydock.AuditFilter{Before: 3}, newestFirst[1:]},
		"from":         {drydock.AuditFilter{From: day.Add(time.Hour)}, newestFirst[:2]},
		"to":           {drydock.AuditFilter{To: day.Add(time.Hour)}, newestFirst[2:]},
		"of somebody":  {drydock.AuditFilter{Principal: "p1"}, newestFirst[1:2]},
		"of something": {drydock.AuditFilter{Target: "/sub/A2"}, newestFirst[:1]},
		"below":        {drydock.AuditFilter{Target: "/sub"}, newestFirst},
		"not below":    {drydock.AuditFilter{Target: "/sub/a"}, nil},
	} {
		same(t, name, auditRecords(t, s, c.filter), c.want)
	}
}

func auditDeleted(t *testing.T, s Store) {
	check(t, s.AppendAudit(t.Context(), []drydock.AuditRecord{{ID: "1", Time: day}, {ID: "2", Time: day.Add(time.Hour)}, {ID: "3", Time: day}}))
	check(t, s.DeleteAudit(t.Context(), day.Add(time.Hour)))
	check(t, s.AppendAudit(t.Context(), []drydock.AuditRecord{{ID: "4", Time: day.Add(2 * time.Hour)}}))
	var ids []string
	for _, r := range auditRecords(t, s, drydock.AuditFilter{}) {
		ids = append(ids, fmt.Sprint(r.Number, " ", r.ID))
	}
	// The newest stays though it is old: numbers are not given again.
	same(t, "left", ids, []string{"4 4", "3 3", "2 2"})
}
