package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// docs/client-commands.md says what --help says. With UPDATE_DOCS set, as `make
// docs` does, it is written.
func TestCommandReference(t *testing.T) {
	t.Parallel()
	const name = "../../docs/client-commands.md"
	want := reference((&app{Surroundings: Surroundings{Name: "drydock"}}).root())
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
		t.Errorf("docs/client-commands.md is not what --help says; run `make docs` (-want +got):\n%s", d)
	}
}

// TestFlagsFit checks the definitions of all commands: what is shown, and that
// every flag says what it is for.
func TestFlagsFit(t *testing.T) {
	t.Parallel()
	eachCommand((&app{Surroundings: Surroundings{Name: "drydock"}}).root(), func(cmd *cobra.Command) {
		if cmd.Short == "" && !cmd.Hidden {
			t.Errorf("%s does not say what it does", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" && !f.Hidden {
				t.Errorf("%s: --%s does not say what it is for", cmd.CommandPath(), f.Name)
			}
		})
	})
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	for _, sub := range cmd.Commands() {
		visit(sub)
		eachCommand(sub, visit)
	}
}

func reference(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString("# The commands of drydock\n\nWhat `--help` prints; `make docs` writes this page. How the client works is in [client.md](client.md).\n\n" +
		"All commands have these flags:\n\n```text\n" + root.PersistentFlags().FlagUsages() + "```\n")
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.HasSubCommands() {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n", cmd.UseLine(), cmd.Short)
		text := cmd.LocalNonPersistentFlags().FlagUsages()
		if cmd.Example != "" {
			text += "\n" + cmd.Example + "\n"
		}
		if text != "" {
			fmt.Fprintf(&b, "\n```text\n%s```\n", text)
		}
	})
	return b.String()
}
