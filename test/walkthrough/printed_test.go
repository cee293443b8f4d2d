package walkthrough

import (
	"slices"
	"testing"
)

func TestPrintedTables(t *testing.T) {
	t.Parallel()
	const text = `what a command says
RUN ID    TASK         PLATFORM    STATUS     TRIGGER       STARTED               DURATION
--------  -----------  ----------  ---------  ------------  --------------------  ----------
ca2       hello-world  linux       Succeeded  Image Update  2020-10-24T05:08:45Z  00:00:31
ca1       hello-world  linux       Succeeded  Manual        2020-10-24T05:02:29Z  00:00:22
RUN ID    TASK         PLATFORM    STATUS     TRIGGER       STARTED               DURATION
--------  -----------  ----------  ---------  ------------  --------------------  ----------
ca3       hello-world  linux       Running    Commit        2020-10-24T05:08:45Z
ca3 is no table
`
	want := [][]string{
		{"ca2 hello-world Image Update Succeeded", "ca1 hello-world Manual Succeeded"},
		{"ca3       hello-world  linux       Running    Commit        2020-10-24T05:08:45Z", "ca3 is no table"},
	}
	if got := printedTables(text); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got\n%s\nwant\n%s", listed(got), listed(want))
	}
}
