package graph_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/drydockhq/drydock/internal/graph"
)

var update = flag.Bool("update", false, "write docs/graph.md")

func TestDocument(t *testing.T) {
	t.Parallel()
	const file = "../../docs/graph.md"
	want := []byte(graph.Document())
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the table of routes gives: go test ./internal/graph -run TestDocument -update", file)
	}
}
