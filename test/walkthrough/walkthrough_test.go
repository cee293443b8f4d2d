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

// lines writes what is written to it to the log of a test.
type lines struct{ t *testing.T }

// Write implements io.Writer.
func (l lines) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}

// The walkthrough as it is, by drydock under the name az.
func TestWithDrydock(t *testing.T) {
	t.Parallel()
	s := walkthrough.Set(t, walkthrough.Options{Examples: examples, Git: walkthrough.Gitea, Pictures: t.ArtifactDir()})
	p := s.Person("drydock")
	played, err := s.Play(t.Context(), script(t), p)
	if err != nil {
		t.Fatal(err, "\n", played.Output)
	}
}
