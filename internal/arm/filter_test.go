package arm_test

import (
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/arm"
)

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		"", "TaskName eq 'nightly'", "TaskName eq 'it''s' and Status ne 'Failed'", "not (RunId eq 'ca1' or RunId eq 'ca2')",
		"contains(OutputImageManifests, 'app@sha256:abc')", "CreateTime ge 2024-01-02T00:00:00Z", "FinishTime lt datetime'2024-01-02T00:00:00Z'",
		"IsArchiveEnabled eq true", "substringof('a',TaskName)", "((((", "TaskName eq 'x", "\x00", "TaskName eq 'a' and and",
	} {
		f.Add(seed)
	}
	values := map[string][]string{
		"taskname": {"nightly"}, "status": {"Failed"}, "runid": {"ca1"}, "createtime": {"2024-01-01T00:00:00Z"}, "isarchiveenabled": {"true"},
	}
	f.Fuzz(func(t *testing.T, filter string) {
		selected, err := arm.SelectedRun(filter, values)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "The value of $filter can't be understood: ") {
				t.Errorf("%q: %v", filter, err)
			}
			return
		}
		if strings.TrimSpace(filter) == "" {
			return
		}
		// What is not selected is selected by the opposite.
		opposite, err := arm.SelectedRun("not ("+filter+")", values)
		if err == nil && opposite == selected {
			t.Errorf("%q and its opposite both give %v", filter, selected)
		}
	})
}
