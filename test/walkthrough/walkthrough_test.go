package walkthrough_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/drydockhq/drydock/test/serve"
	"github.com/drydockhq/drydock/test/walkthrough"
)

func TestMain(m *testing.M) {
	status := m.Run()
	serve.Clean()
	os.Exit(status)
}

const examples = "../../examples/public-content"

// script returns the one to play. It has the 69 commands of the article, and has a
// person do something nine times.
func script(t *testing.T) walkthrough.Script {
	t.Helper()
	s := walkthrough.Script{Path: os.Getenv("WALK"), Commands: 69 + 9, Page: true}
	if s.Path != "" {
		return s
	}
	var err error
	if s.Path, err = filepath.Abs(filepath.Join(examples, "walk.sh")); err != nil {
		t.Fatal(err)
	}
	return s
}

// walk plays the walkthrough and checks what came of it. What the script prints is
// kept with the pictures.
func walk(t *testing.T, s *walkthrough.Stage, name string) {
	t.Helper()
	p := s.Person(name)
	played, err := s.Play(t.Context(), script(t), p)
	if err == nil {
		err = played.Check(p.Page)
	}
	transcript := filepath.Join(pictures(t), name+".txt")
	if problem := os.WriteFile(transcript, []byte(played.Output), 0o644); problem != nil {
		t.Error(problem)
	}
	if err != nil {
		t.Fatal(err, "\n", played.Output)
	}
	t.Logf("%s:\n%s", name, p.Seen)
	if err := s.Gone(t.Context(), p.Page); err != nil {
		t.Fatal(err)
	}
}

// twice plays it as it is, and then again under the same names, which the clean-up
// has freed, with variations: the gate pulls nothing, and hello-world needs npm.
func twice(t *testing.T, name string, s *walkthrough.Stage) {
	t.Helper()
	walk(t, s, name)
	if err := s.Begin("testdata/variation"); err != nil {
		t.Fatal(err)
	}
	walk(t, s, name+"-variation")
}

// By drydock under the name az.
func TestWithDrydock(t *testing.T) {
	t.Parallel()
	twice(t, "drydock", walkthrough.Set(t, options(t, "")))
}

// options are those of a stage with a git host.
func options(t *testing.T, az string) walkthrough.Options {
	return walkthrough.Options{Az: az, Examples: examples, Git: walkthrough.Gitea, Pictures: pictures(t)}
}

// pictures is the folder for pictures of the page: PICTURES, or that of the test.
func pictures(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("PICTURES"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	return t.ArtifactDir()
}
