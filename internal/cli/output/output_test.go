package output_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/drydockhq/drydock/internal/cli/output"
)

const runs = `[
 {"id": "/x", "name": "ca2", "status": "Succeeded", "tags": {"a": 1}, "ok": true, "steps": [1, 2], "task": null, "seconds": 3600},
 {"id": "/y", "name": "ca1", "status": "Failed <&>", "ok": false, "steps": [], "seconds": 1.5}
]`

func TestPrint(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, format, query, value, want string }{
		{"json", "json", "", `{"b": "<&>", "a": [1, null]}`, "{\n  \"a\": [\n    1,\n    null\n  ],\n  \"b\": \"<&>\"\n}\n"},
		{"json of a query", "json", "[].name", runs, "[\n  \"ca2\",\n  \"ca1\"\n]\n"},
		{"query of nothing", "json", "[0].nothing", runs, ""},
		{"none", "none", "", runs, ""},
		{"tsv of scalars", "tsv", "[].name", runs, "ca2\nca1\n"},
		{"tsv of one", "tsv", "[0].name", runs, "ca2\n"},
		{"literals without quotes", "tsv", "[?name==`ca1`].[name, `1`, '`x`']", runs, "ca1\t1\t`x`\n"},
		{"tsv of a bool", "tsv", "[0].ok", runs, "true\n"},
		{"tsv of rows", "tsv", "[].[name, seconds, ok, task, steps, tags]", runs, "ca2\t3600\tTrue\tNone\t2\t\nca1\t1.5\tFalse\tNone\t0\tNone\n"},
		{"tsv in the order of the query", "tsv", "[].{z: name, a: status}", runs, "ca2\tSucceeded\nca1\tFailed <&>\n"},
		{
			"table of scalars", "table", "", runs,
			"Name    Ok     Seconds    Status\n------  -----  ---------  ----------\nca2     True   3600       Succeeded\nca1     False  1.5        Failed <&>\n",
		},
		{"table of a query", "table", "[].{Z: name, \"a b\": seconds}", runs, "Z    A b\n---  -----\nca2  3600\nca1  1.5\n"},
		{"table of lists", "table", "[].[name, steps]", runs, "Column1    Column2\n---------  ---------\nca2        [1,2]\nca1        []\n"},
		{"table of strings", "table", "[].name", runs, "Result\n--------\nca2\nca1\n"},
		{"table of nothing", "table", "", "[]", ""},
		{"yaml", "yaml", "[0].{name: name, steps: steps}", runs, "name: ca2\nsteps:\n  - 1\n  - 2\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o := output.Options{Format: test.format}
			if test.query != "" {
				var err error
				if o.Query, err = output.ParseQuery(test.query); err != nil {
					t.Fatal(err)
				}
			}
			if got := printed(t, test.value, o); got != test.want {
				t.Errorf("got\n%swant\n%s", got, test.want)
			}
		})
	}
}

func TestPrintColor(t *testing.T) {
	t.Parallel()
	got := printed(t, `{"a": "b: 1", "n": -1}`, output.Options{Format: "jsonc", Color: true})
	want := "{\n  \x1b[34m\"a\"\x1b[0m: \x1b[33m\"b: 1\"\x1b[0m,\n  \x1b[34m\"n\"\x1b[0m: \x1b[36m-1\x1b[0m\n}\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := printed(t, `{"a": 1}`, output.Options{Format: "jsonc"}); strings.Contains(got, "\x1b") {
		t.Errorf("colours that nobody wants: %q", got)
	}
}

func TestTableOfLines(t *testing.T) {
	t.Parallel()
	two := func(any) output.Row { return output.Row{{"NAMES", "one\nthree"}, {"N", "2"}} }
	got := printed(t, `{}`, output.Options{Format: "table", Table: two})
	if want := "NAMES    N\n-------  ---\none      2\nthree\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func printed(t *testing.T, value string, o output.Options) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := output.Print(&b, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	if _, err := output.ParseQuery("[].{"); err == nil || !strings.HasPrefix(err.Error(), `"[].{" is not a JMESPath query`) {
		t.Errorf("a broken query: %v", err)
	}
	if err := output.Print(&bytes.Buffer{}, 1, output.Options{Format: "xml"}); err == nil {
		t.Error("an unknown format is taken")
	}
}

func TestTableWithoutColumns(t *testing.T) {
	t.Parallel()
	for value, query := range map[string]string{
		`{"docker.io": {"user": 1}}`:                  "",
		`[{"runId": "ca1"}, {"runId": "ca2"}]`:        "[].{id: runId}",
		`[{"a": {"b": 1}}]`:                           "[].a.{type: b}",
		`{"id": "x", "type": "y", "etag": "z"}`:       "",
		`[{"name": null, "steps": [{"build": "x"}]}]`: "",
	} {
		o := output.Options{Format: "table"}
		if query != "" {
			var err error
			if o.Query, err = output.ParseQuery(query); err != nil {
				t.Fatal(err)
			}
		}
		var v any
		if err := json.Unmarshal([]byte(value), &v); err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := output.Print(&b, v, o); err == nil || !strings.Contains(err.Error(), "--query") || b.Len() > 0 {
			t.Errorf("%s %s: %v, printed %q", value, query, err, b.String())
		}
	}
}

func TestTableOfItems(t *testing.T) {
	t.Parallel()
	o := output.Options{
		Format: "table",
		Items:  func(v any) []any { return v.(map[string]any)["all"].([]any) },
		Table:  func(item any) output.Row { return output.Row{{"N", item.(string)}} },
	}
	if got := printed(t, `{"all": ["a", "b"]}`, o); got != "N\n---\na\nb\n" {
		t.Errorf("got\n%s", got)
	}
	if got := printed(t, `{"all": []}`, o); got != "" {
		t.Errorf("nothing is %q", got)
	}
	o.Format = "tsv"
	if got := printed(t, `{"all": ["a", "b"]}`, o); got != "2\n" {
		t.Errorf("another format has items too: %q", got)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"[].name", "[?ok].{a: name}", "length(@)", "[0:1]", "sort_by(@, &name)"} {
		f.Add(seed)
	}
	var value any
	if err := json.Unmarshal([]byte(runs), &value); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := output.ParseQuery(text)
		if err != nil {
			return
		}
		for _, format := range output.Formats() {
			_ = output.Print(&bytes.Buffer{}, value, output.Options{Format: format, Query: q}) // must not panic
		}
	})
}
