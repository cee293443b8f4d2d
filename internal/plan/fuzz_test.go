package plan_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzAlias feeds the alias splitter and the substitution.
func FuzzAlias(f *testing.F) {
	f.Add("alias:\n  values:\n    a: b\n", "  - cmd: $a $$ $ID $x$a\n")
	f.Add("alias:\n  src: [a.yaml]\n  directive: 🐟\n", "  - cmd: 🐟a\n")
	f.Add("# alias:\n\"alias\" : {values: {a: \"{{.Run.ID}}\"}}", "  - cmd: |\n      # $a\n")
	f.Add("alias:\n  values: {a: \"x\\ny\"}", "  - cmd: bash $a\n    nope: $a\n")
	f.Fuzz(func(t *testing.T, block, steps string) {
		in := plan.Input{
			File:    "f.yaml",
			Task:    []byte("version: v1.1.0\n" + block + "\nsteps:\n" + steps),
			Facts:   facts(),
			Aliases: aliasFiles{"a.yaml": "a: from the file\n"},
		}
		holds(t, in)
		_, err := plan.Render(t.Context(), in)
		positioned(t, in, err)
	})
}

// FuzzTemplate feeds the templates.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"{{ .Values.v }}", "{{ .Run.ID | upper | quote }}", "{{ range until 3 }}{{ . }}{{ end }}", "{{ env \"PATH\" }}",
		"{{ $d := dict }}{{ set $d \"a\" $d }}", "{{ repeat 99999999 .Values.v }}", "{{ define \"x\" }}{{ template \"x\" }}{{ end }}{{ template \"x\" }}",
		"{{- /* a */ -}}", "{{ printf \"%*d\" 9 1 }}", "{{ .ValuesJSON | fromJson | toPrettyJson }}",
	} {
		f.Add(s, "value")
	}
	f.Fuzz(func(t *testing.T, template, value string) {
		holds(t, plan.Input{
			File:      "f.yaml",
			Task:      []byte("steps:\n  - cmd: busybox echo " + template + "\n"),
			Facts:     facts(),
			SecretSet: []string{"v=" + value},
		})
	})
}

// FuzzTask feeds the YAML of a task.
func FuzzTask(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no fixtures: %v", err)
	}
	for _, file := range files {
		if strings.Contains(file, "/limits/") || strings.HasSuffix(file, "/bomb.txtar") {
			continue
		}
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, task []byte) {
		holds(t, plan.Input{File: "f.yaml", Task: task, Facts: facts(), Secrets: vault{"https://v/one": "eins"}})
	})
}

// holds plans and checks what is true of every plan and every error.
func holds(t *testing.T, in plan.Input) {
	p, err := plan.Make(t.Context(), in)
	if err != nil {
		positioned(t, in, err)
		return
	}
	done := map[string]bool{}
	for range p.Steps {
		for _, s := range p.Steps {
			ready := true
			for _, id := range s.When {
				if p.Step(id) == nil {
					t.Errorf("%q waits for %q, which is no step", s.ID, id)
				}
				ready = ready && done[id]
			}
			done[s.ID] = done[s.ID] || ready
		}
	}
	for _, s := range p.Steps {
		if !done[s.ID] {
			t.Errorf("%q can never start", s.ID)
		}
		kinds := 0
		for _, set := range []bool{s.Build != "", s.Cmd != "", len(s.Push) > 0} {
			if set {
				kinds++
			}
		}
		if kinds != 1 || s.ID == "" || s.Timeout <= 0 || s.Network == "" || s.Line < 1 {
			t.Errorf("not a whole step: %+v", s)
		}
	}
	if len(done) != len(p.Steps) {
		t.Errorf("%d ids of %d steps", len(done), len(p.Steps))
	}
}

// positioned checks that an error is one for users and points into the file.
func positioned(t *testing.T, in plan.Input, err error) {
	if err == nil {
		return
	}
	var e *drydock.Error
	if !errors.As(err, &e) {
		t.Fatalf("%T is not a *drydock.Error: %v", err, err)
	}
	if e.Code == drydock.Internal || e.Message == "" {
		t.Errorf("%s: %v", e.Code, e)
	}
	if n := strings.Count(string(in.Task), "\n") + 1; e.Line < 0 || e.Line > n {
		t.Errorf("line %d of %d: %v", e.Line, n, e)
	}
}
