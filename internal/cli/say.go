package cli

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/drydockhq/drydock"
)

// say tells the user what goes on, on standard error.
func (a *app) say(format string, args ...any) {
	if a.global.onlyErrors {
		return
	}
	fmt.Fprintf(a.Stderr, format+"\n", args...)
}

// confirm asks whether something is to be done that can't be undone.
func (c *call) confirm(yes bool, format string, args ...any) error {
	if yes {
		return nil
	}
	if !isTerminal(c.Stdin) {
		return drydock.Errorf(drydock.Invalid, "there is no terminal to ask at whether this is to be done").WithHint("add --yes")
	}
	fmt.Fprintf(c.Stderr, format+" (y/n): ", args...)
	answer, err := bufio.NewReader(c.Stdin).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return drydock.Errorf(drydock.Canceled, "nothing was done")
}

// yesFlag defines the flag that takes the place of the question.
func yesFlag(f *flags, yes *bool) { f.BoolVarP(yes, "yes", "y", false, "do not ask for confirmation") }
