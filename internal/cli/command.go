package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// command is a command of the client, or a group of commands.
type command struct {
	use     string // name, and the names of positional arguments
	short   string
	example string
	args    cobra.PositionalArgs // none are taken if it is nil
	flags   func(*flags)
	table   output.Table
	items   func(result any) []any   // that a table has rows for; nil as in output.Options
	run     func(*call) (any, error) // the result is printed; nil prints nothing
	group   []command                // instead of run
	hidden  bool
}

// withTable returns the command with a table of its own.
func (c command) withTable(t output.Table) command {
	c.table = t
	return c
}

// call is one execution of a command.
type call struct {
	*app
	ctx  context.Context
	args []string
	cmd  *cobra.Command
	own  *args.Enum // its output format, if it has formats of its own
}

// flags are the flags of a command while they are defined.
type flags struct {
	*pflag.FlagSet
	needed []string
	own    *args.Enum // see call
}

// need marks flags as ones that a command can't do without.
func (f *flags) need(names ...string) { f.needed = append(f.needed, names...) }

// add adds a command to its group.
func (a *app) add(parent *cobra.Command, c command) {
	cmd := &cobra.Command{Use: c.use, Short: c.short, Example: c.example, Args: c.args, Hidden: c.hidden}
	parent.AddCommand(cmd)
	if c.group != nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		for _, sub := range c.group {
			a.add(cmd, sub)
		}
		return
	}
	if c.args == nil {
		cmd.Args = cobra.NoArgs
	}
	f := &flags{FlagSet: cmd.Flags()}
	f.SortFlags = false
	if c.flags != nil {
		c.flags(f)
	}
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError(cmd, wrongArguments(cmd, args))
		}
		return missingFlags(cmd, f.needed)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.carryOut(c, &call{app: a, ctx: cmd.Context(), args: args, cmd: cmd, own: f.own})
	}
}

// carryOut runs a command and prints its result, also beside an error.
func (a *app) carryOut(c command, as *call) error {
	o := output.Options{Format: as.format(), Table: c.table, Items: c.items, Color: a.colors(a.Stdout)}
	if a.global.query != "" {
		q, err := output.ParseQuery(a.global.query)
		if err != nil {
			return usageError(as.cmd, fmt.Errorf("argument --query: %w", err))
		}
		o.Query = q
	}
	if as.own != nil && !slices.Contains(output.Formats(), o.Format) {
		o.Format = "json" // of a query; what is not one, the command prints itself
	}
	result, failure := c.run(as)
	// A run that has failed is shown too.
	result, err := plain(result)
	if err == nil {
		err = output.Print(a.Stdout, result, o)
	}
	if failure != nil {
		return failure
	}
	return err
}

// wrongArguments says what is wrong with the positional arguments.
func wrongArguments(cmd *cobra.Command, args []string) error {
	names := strings.Fields(cmd.Use)[1:]
	if len(args) < len(names) {
		return fmt.Errorf("the following arguments are required: %s", strings.Join(names[len(args):], ", "))
	}
	return fmt.Errorf("unrecognized arguments: %s", strings.Join(args[len(names):], " "))
}

func missingFlags(cmd *cobra.Command, needed []string) error {
	var missing []string
	for _, name := range needed {
		f := cmd.Flags().Lookup(name)
		if f.Changed {
			continue
		}
		text := "--" + name
		if f.Shorthand != "" {
			text += "/-" + f.Shorthand
		}
		missing = append(missing, text)
	}
	if missing == nil {
		return nil
	}
	return usageError(cmd, fmt.Errorf("the following arguments are required: %s", strings.Join(missing, ", ")))
}

// unknownCommand names commands that may have been meant.
func unknownCommand(unknown *args.UnknownCommandError) error {
	group := unknown.Group
	group.SuggestionsMinimumDistance = 2
	near := slices.DeleteFunc(group.SuggestionsFor(unknown.Name), func(name string) bool {
		// "pack" is as near to "task" as "shwo" is to "show".
		return !strings.HasPrefix(name, unknown.Name[:min(1, len(unknown.Name))]) && levenshtein.Distance(name, unknown.Name, nil) > 1
	})
	if len(near) == 0 {
		return usageError(group, unknown)
	}
	slices.Sort(near)
	return drydock.Errorf(drydock.Invalid, "%w", unknown).WithHint("did you mean %s?", strings.Join(near, ", "))
}
