// Package archtest_test holds the import rules of docs/architecture.md against
// the import graph.
package archtest_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImportsKeepToTheTables(t *testing.T) {
	t.Parallel()
	for _, b := range check(readRules(t), listPackages(t)) {
		t.Error(b)
	}
}

// The tables themselves must not give away what the design promises.
func TestTablesKeepToTheDesign(t *testing.T) {
	t.Parallel()
	r := readRules(t)
	core := []string{"internal/plan", "internal/engine"}
	adapters := []string{"internal/engine/buildkit", "internal/source"}
	for name, rule := range r.packages {
		if name == "." && len(rule.imports) > 0 {
			t.Errorf("the root may import %v", rule.imports)
		}
		for _, target := range rule.imports {
			if _, ok := r.packages[target]; !ok {
				t.Errorf("%s may import %s, which has no row", name, target)
			}
			if strings.HasPrefix(target, "cmd/") || r.packages[target].testsOnly && !rule.testsOnly {
				t.Errorf("%s may import %s", name, target)
			}
			if slices.Contains(core, name) && slices.Contains(core, target) {
				t.Errorf("%s may import %s: both are core", name, target)
			}
			// What measures an adapter has to open it.
			if slices.Contains(adapters, target) && !strings.HasPrefix(name, "cmd/") && name != "test/bench" {
				t.Errorf("%s may import the adapter %s", name, target)
			}
		}
	}
	buildkit := []string{"internal/engine/buildkit/..."}
	for _, m := range []string{"github.com/moby/buildkit", "github.com/containerd"} {
		if d := cmp.Diff(buildkit, r.modules[m]); d != "" {
			t.Errorf("places of %s (-want +got):\n%s", m, d)
		}
	}
}

func TestCheckFindsEachBreach(t *testing.T) {
	t.Parallel()
	r, err := parseRules(strings.Join([]string{
		"| package | what | may import |",
		"|---|---|---|",
		"| `.` | nouns | |",
		"| `a` | core | `.` |",
		"| `b` | core | `.` |",
		"| `fake` | *for tests* | `.` |",
		"| `gone` | no more | |",
		"",
		"| module | only in |",
		"|---|---|",
		"| `x.org/engine` | `b/...` |",
	}, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := check(r, []pkg{
		{ImportPath: module, Imports: []string{"fmt", "y.org/yaml"}},
		{
			ImportPath:   module + "/a",
			Imports:      []string{module, module + "/b", "x.org/engine/client", "x.org/engineering"},
			XTestImports: []string{module + "/a", module + "/fake", module + "/b/c"},
		},
		{ImportPath: module + "/b", Imports: []string{"x.org/engine", module + "/fake"}},
		{ImportPath: module + "/fake"},
		{ImportPath: module + "/new"},
	})
	want := []string{
		"a imports b",
		"a imports b/c",
		"a imports x.org/engine/client",
		"b imports fake",
		"new has no row in the package table",
		"the package table has a row for gone, which does not exist",
		"the root imports y.org/yaml",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("breaches (-want +got):\n%s", d)
	}
}

func readRules(t *testing.T) rules {
	t.Helper()
	doc, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRules(string(doc))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.packages) == 0 || len(r.modules) == 0 {
		t.Fatal("docs/architecture.md has lost a table")
	}
	return r
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("listing the module's packages: %v", err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(out); ; {
		var p pkg
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("reading the list of packages: %v", err)
		}
		pkgs = append(pkgs, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("listing the module's packages: %v", err)
	}
	return pkgs
}
