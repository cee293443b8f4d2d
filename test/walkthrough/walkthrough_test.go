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

// script returns the one to play, and how many commands it has.
func script(t *testing.T) walkthrough.Script {
	t.Helper()
	if path := os.Getenv("WALK"); path != "" {
		return walkthrough.Script{Path: path, Commands: 75}
	}
	path, err := filepath.Abs(filepath.Join(examples, "walk.sh"))
	if err != nil {
		t.Fatal(err)
	}
	return walkthrough.Script{Path: path, Commands: 75}
}

// walk plays the walkthrough and checks what came of it. What the script prints is
// kept with the pictures.
func walk(t *testing.T, s *walkthrough.Stage, name string) {
	t.Helper()
	p := s.Person(name)
	played, err := s.Play(t.Context(), script(t), p)
	if err == nil {
		err = played.Check()
	}
	transcript := filepath.Join(pictures(t), name+".txt")
	if problem := os.WriteFile(transcript, []byte(played.Output), 0o644); problem != nil {
		t.Error(problem)
	}
	if err != nil {
		t.Fatal(err, "\n", played.Output)
	}
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
	if dir := os.Getenv("PICTURES"); dir != "" {
		return dir
	}
	return t.ArtifactDir()
}
