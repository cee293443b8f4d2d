package args

import (
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Expander rewrites command lines. Its fields are set before its first use.
type Expander struct {
	Root     *cobra.Command
	ReadFile func(name string) ([]byte, error) // of "@name"
	Stdin    io.Reader                         // of "@-"
}

// UnknownCommandError says that a line names something that is not in a group of
// commands.
type UnknownCommandError struct {
	Group *cobra.Command
	Name  string
}

// Error names the group.
func (e *UnknownCommandError) Error() string {
	return fmt.Sprintf("%q is not in the %q command group", e.Name, e.Group.CommandPath())
}

// Expand returns the command that a line names and its arguments, as pflag
// takes them. The command is the deepest that the line leads to, which may be a
// group; what follows a group and is none of its commands is an
// *UnknownCommandError, whatever flags come after it.
func (e *Expander) Expand(line []string) (*cobra.Command, []string, error) {
	cmd, rest, err := e.command(line)
	if err != nil {
		return cmd, nil, err
	}
	var out []string
	for len(rest) > 0 {
		if rest[0] == "--" {
			return cmd, append(out, rest...), nil
		}
		var taken []string
		if taken, rest, err = e.next(cmd, rest); err != nil {
			return cmd, nil, err
		}
		out = append(out, taken...)
	}
	return cmd, out, nil
}

// command follows the names of commands. Flags may stand before them.
func (e *Expander) command(line []string) (*cobra.Command, []string, error) {
	cmd := e.Root
	var before []string
	for len(line) > 0 {
		if strings.HasPrefix(line[0], "-") && cmd.HasSubCommands() {
			taken, rest, err := e.next(cmd, line)
			if err != nil {
				return cmd, nil, err
			}
			before, line = append(before, taken...), rest
			continue
		}
		next := child(cmd, line[0])
		if next == nil && cmd.HasSubCommands() {
			return cmd, nil, &UnknownCommandError{Group: cmd, Name: line[0]}
		}
		if next == nil {
			break
		}
		cmd, line = next, line[1:]
	}
	return cmd, append(before, line...), nil
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return nil
}

// next rewrites the argument at the beginning of rest, with the values that
// belong to it.
func (e *Expander) next(cmd *cobra.Command, rest []string) (taken, left []string, err error) {
	word, left := rest[0], rest[1:]
	switch {
	case strings.HasPrefix(word, "--"):
		name, value, hasValue := strings.Cut(word[2:], "=")
		flag, err := find(cmd, name)
		if err != nil {
			return nil, nil, err
		}
		return e.flag(flag, "--"+flag.Name, value, hasValue, left)
	case len(word) > 1 && word[0] == '-':
		flag := short(cmd, word[1:2])
		if flag == nil {
			return nil, nil, fmt.Errorf("unrecognized argument: %s", word)
		}
		value, hasValue := word[2:], len(word) > 2
		if hasValue && isSwitch(flag) {
			// -yo tsv: several switches, the last of which may be none.
			taken, left, err = e.next(cmd, append([]string{"-" + value}, left...))
			return append([]string{"--" + flag.Name}, taken...), left, err
		}
		return e.flag(flag, word[:2], strings.TrimPrefix(value, "="), hasValue, left)
	default:
		word, err := e.fromFile(word)
		return []string{word}, left, err
	}
}

// flag rewrites a flag with its values.
func (e *Expander) flag(flag *pflag.Flag, as, value string, hasValue bool, rest []string) (taken, left []string, err error) {
	name := "--" + flag.Name
	if m, ok := flag.Value.(multiple); ok {
		values := []string{value}
		if !hasValue {
			values, rest = following(rest)
		}
		if len(values) < m.min() {
			return nil, nil, fmt.Errorf("argument %s: expected at least %d value", as, m.min())
		}
		for i := range values {
			if values[i], err = e.fromFile(values[i]); err != nil {
				return nil, nil, err
			}
		}
		return []string{name + "=" + strings.Join(values, separator)}, rest, nil
	}
	switch {
	case hasValue:
	case flag.NoOptDefVal != "":
		if isSwitch(flag) || len(rest) == 0 || !isBool(rest[0]) {
			return []string{name}, rest, nil
		}
		value, rest = rest[0], rest[1:]
	case len(rest) == 0 || isFlag(cmdFlagWord(rest[0])):
		return nil, nil, fmt.Errorf("argument %s: expected one value", as)
	default:
		value, rest = rest[0], rest[1:]
	}
	if value, err = e.fromFile(value); err != nil {
		return nil, nil, err
	}
	return []string{name + "=" + value}, rest, nil
}

// cmdFlagWord leaves out what begins like a flag and can be a value only: a
// lone "-", and numbers below zero.
func cmdFlagWord(word string) string {
	if len(word) > 1 && word[0] == '-' && (word[1] >= '0' && word[1] <= '9' || word[1] == '.' || strings.ContainsAny(word, " \t\n")) {
		return ""
	}
	return word
}

func isFlag(word string) bool { return len(word) > 1 && word[0] == '-' }

// following returns the words up to the next flag.
func following(rest []string) (values, left []string) {
	for i, word := range rest {
		if isFlag(cmdFlagWord(word)) {
			return rest[:i], rest[i:]
		}
	}
	return rest, nil
}

// isSwitch reports whether a flag never has a value of its own.
func isSwitch(flag *pflag.Flag) bool { return flag.Value.Type() == "bool" }

// find returns the flag with a name, or the only one that begins with it.
func find(cmd *cobra.Command, name string) (*pflag.Flag, error) {
	var begin []*pflag.Flag
	var exact *pflag.Flag
	eachFlag(cmd, func(f *pflag.Flag) {
		switch {
		case f.Name == name:
			exact = f
		case name != "" && strings.HasPrefix(f.Name, name):
			begin = append(begin, f)
		}
	})
	switch {
	case exact != nil:
		return exact, nil
	case len(begin) == 1:
		return begin[0], nil
	case len(begin) == 0:
		return nil, fmt.Errorf("unrecognized argument: --%s", name)
	}
	var names []string
	for _, f := range begin {
		names = append(names, "--"+f.Name)
	}
	sort.Strings(names)
	return nil, fmt.Errorf("ambiguous option: --%s could match %s", name, strings.Join(names, ", "))
}

func short(cmd *cobra.Command, letter string) (found *pflag.Flag) {
	eachFlag(cmd, func(f *pflag.Flag) {
		if f.Shorthand == letter {
			found = f
		}
	})
	return found
}

func eachFlag(cmd *cobra.Command, visit func(*pflag.Flag)) {
	cmd.InitDefaultHelpFlag()
	cmd.InitDefaultVersionFlag()
	cmd.InheritedFlags().VisitAll(visit)
	cmd.LocalFlags().VisitAll(visit)
}
