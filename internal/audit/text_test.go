package audit_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
)

// What somebody has asked for forges no records, does nothing to terminals, and
// fills no disk.
func TestTextsOfRecords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"/v1.0/users/alice@drydock.test":      "/v1.0/users/alice@drydock.test",
		"Zoë 東京":                              "Zoë 東京",
		"ci\n2026-11-22 admin Succeeded":      `ci\n2026-11-22 admin Succeeded`,
		"\x1b]0;title\a\x1b[2J":               `\x1b]0;title\a\x1b[2J`,
		"a\u202eb\u0085c\xffd":                `a\u202eb\u0085c\ufffdd`,
		strings.Repeat("x", 1000):             strings.Repeat("x", 1000),
		strings.Repeat("x", 120_000):          strings.Repeat("x", 1000) + "…",
		strings.Repeat("é", 501):              strings.Repeat("é", 500) + "…",
		strings.Repeat("x", 998) + "\x00tail": strings.Repeat("x", 998) + "…",
	} {
		s := &store{gate: make(chan struct{}, 1), records: map[string]drydock.AuditRecord{}}
		s.gate <- struct{}{}
		l := open(t, s)
		given := drydock.AuditRecord{
			ID: "1", Principal: text, AppID: text, Name: text, From: text, Action: text, Target: text, Detail: text, Result: drydock.AuditStarted, Status: 200,
		}
		wanted := given
		wanted.Principal, wanted.AppID, wanted.Name, wanted.From, wanted.Action, wanted.Target, wanted.Detail = want, want, want, want, want, want, want
		if err := l.Record(t.Context(), given); err != nil {
			t.Fatal(err)
		}
		if got := s.records["1"]; got != wanted {
			t.Errorf("%q is recorded as %+v", text, got)
		}
		l.End(given)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if got := s.records["1"]; got != wanted {
			t.Errorf("%q has ended as %+v", text, got)
		}
	}
}
