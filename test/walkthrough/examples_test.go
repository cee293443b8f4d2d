package walkthrough_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What two examples have in common is the same in both.
func TestExamplesAreTheSame(t *testing.T) {
	t.Parallel()
	other := os.DirFS(filepath.Join(examples, "../gated-import"))
	files, err := fs.Glob(other, "import-baseimage-node/*")
	if err != nil || len(files) < 3 {
		t.Fatalf("the gate has the files %q, %v", files, err)
	}
	here := os.DirFS(examples)
	for _, file := range append(files, "hello-world/Dockerfile", "hello-world/server.js") {
		a, errA := fs.ReadFile(here, file)
		b, errB := fs.ReadFile(other, file)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is not the same in both examples: %v, %v", file, errA, errB)
		}
	}
}
