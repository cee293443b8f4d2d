package engine_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/enginetest"
	"github.com/drydockhq/drydock/internal/logs"
	"github.com/drydockhq/drydock/internal/plan"
)

var update = flag.Bool("update", false, "write what happens into the scenarios; look at the difference")

// TestScenarios carries out each task of testdata/scenarios on the fake
// executor, in time that passes only while all steps wait: the timestamps of
// the expected log are exact. A scenario's files are
//
//	task.yaml     the task; FAKE_ variables say what its steps do
//	script        lines of `set-secret K=V`, `registry IMAGE`, `fail IMAGE N`,
//	              `cancel DURATION`, `timeout DURATION`, `dry-run`,
//	              `close-error TEXT`, `unordered` (compare the log's lines sorted)
//	src/...       the source
//	want.log      the log
//	want.steps    the steps and what became of them
//	want.error    the code and text of the error, if there is one
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := readScenario(t, archive)
			synctest.Test(t, s.run)
			s.check(t, file, archive)
		})
	}
}

// scenario is a run that is to happen, and then what happened.
type scenario struct {
	task      []byte
	source    string
	secrets   []string
	registry  *enginetest.Registry
	closeErr  error
	cancel    time.Duration
	timeout   time.Duration
	dryRun    bool
	unordered bool

	got map[string]string
}

func readScenario(t *testing.T, archive *txtar.Archive) *scenario {
	t.Helper()
	s := &scenario{source: t.TempDir(), registry: enginetest.NewRegistry()}
	for _, f := range archive.Files {
		name, isSource := strings.CutPrefix(f.Name, "src/")
		switch {
		case isSource:
			full := filepath.Join(s.source, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		case f.Name == "task.yaml":
			s.task = f.Data
		case f.Name == "script":
			var images []string
			for line := range strings.Lines(string(f.Data)) {
				if image, ok := strings.CutPrefix(strings.TrimSpace(line), "registry "); ok {
					images = append(images, image)
				}
			}
			s.registry = enginetest.NewRegistry(images...)
			for line := range strings.Lines(string(f.Data)) {
				s.command(t, strings.Fields(line))
			}
		}
	}
	return s
}

func (s *scenario) command(t *testing.T, words []string) {
	t.Helper()
	var err error
	switch words[0] {
	case "registry":
	case "set-secret":
		s.secrets = append(s.secrets, words[1])
	case "fail":
		var n int
		n, err = strconv.Atoi(words[2])
		s.registry.Fail(words[1], n)
	case "cancel":
		s.cancel, err = time.ParseDuration(words[1])
	case "timeout":
		s.timeout, err = time.ParseDuration(words[1])
	case "close-error":
		s.closeErr = errors.New(strings.Join(words[1:], " "))
	case "dry-run":
		s.dryRun = true
	case "unordered":
		s.unordered = true
	default:
		err = errors.New("unknown command")
	}
	if err != nil {
		t.Fatalf("script: %s: %v", words, err)
	}
}

// run carries out the scenario in a bubble whose clock starts with the year 2000.
func (s *scenario) run(t *testing.T) {
	p, err := plan.Make(t.Context(), plan.Input{
		Task: s.task, SecretSet: s.secrets, Facts: drydock.RunFacts{ID: "ca4", Registry: "my.example"},
	})
	if err != nil {
		t.Fatalf("planning: %v", err)
	}
	var out bytes.Buffer
	masker := logs.NewMasker()
	fake := &enginetest.Fake{Registry: s.registry, CloseErr: s.closeErr}
	e := &engine.Engine{
		Executor: fake, Secrets: masker, Timeout: s.timeout, DryRun: s.dryRun,
		Log: logs.New(logs.Options{Renderer: logs.NewText(&out), Masker: masker}),
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if s.cancel > 0 {
		timer := time.AfterFunc(s.cancel, cancel)
		defer timer.Stop()
	}
	result, err := e.Run(ctx, p, engine.RunSpec{ID: "ca4", Registry: "my.example", Source: s.source})
	if opened, closed := fake.Sessions(); opened != closed {
		t.Errorf("%d sessions were opened and %d closed", opened, closed)
	}
	s.got = map[string]string{"want.log": s.order(out.String()), "want.steps": steps(result)}
	if err != nil {
		s.got["want.error"] = fmt.Sprintf("%s: %v\n", drydock.CodeOf(err), err)
	}
}

func (s *scenario) order(log string) string {
	if !s.unordered {
		return log
	}
	lines := slices.Sorted(strings.Lines(log))
	return strings.Join(lines, "")
}

func steps(result *drydock.RunResult) string {
	var b strings.Builder
	for _, s := range result.Steps {
		fmt.Fprintf(&b, "%s: %s after %s", s.ID, s.Status, s.Elapsed)
		if s.Err != nil {
			fmt.Fprintf(&b, ": %v", s.Err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *scenario) check(t *testing.T, file string, archive *txtar.Archive) {
	t.Helper()
	if *update {
		archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want.") })
		for _, name := range []string{"want.log", "want.steps", "want.error"} {
			if text, ok := s.got[name]; ok {
				archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(text)})
			}
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		if strings.HasPrefix(f.Name, "want.") {
			want[f.Name] = string(f.Data)
		}
	}
	if diff := cmp.Diff(want, s.got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
