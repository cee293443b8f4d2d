package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// docs/cli.md says what --help says. With UPDATE_DOCS set, as `make docs` does,
// it is written.
func TestCommandReference(t *testing.T) {
	t.Parallel()
	const name = "../../docs/cli.md"
	want := reference(newBench(t).rootCommand())
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("docs/cli.md is not what --help says; run `make docs` (-want +got):\n%s", d)
	}
}

func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The commands of drydockd\n\nWhat `--help` prints; `make docs` writes this page.\n")
	describe(&b, root.Commands())
	return b.String()
}

func describe(b *strings.Builder, commands []*cobra.Command) {
	for _, cmd := range commands {
		if cmd.Hidden {
			continue
		}
		cmd.InitDefaultHelpFlag()
		text := cmd.Long
		if text == "" {
			text = cmd.Short + "."
		}
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n```text\n%s```\n", cmd.CommandPath(), text, cmd.UsageString())
		describe(b, cmd.Commands())
	}
}
