package cli

import (
	"github.com/drydockhq/drydock/internal/cli/args"
	"github.com/drydockhq/drydock/internal/cli/output"
)

// text is the output format of commands that speak to people unless they are
// told otherwise.
const textOutput = "text"

// textFormat lets a command print text of its own by default. More formats may
// be its own too.
func textFormat(f *flags, more ...string) {
	choices := append([]string{textOutput}, more...)
	f.own = &args.Enum{Value: textOutput, Choices: append(choices, output.Formats()...)}
	f.VarP(f.own, "output", "o", "output format")
}

// format returns the output format of the command.
func (c *call) format() string {
	if c.own != nil {
		return c.own.Value
	}
	return c.global.output.Value
}

// isText reports that the command prints text of its own. A query is on JSON.
func (c *call) isText() bool { return c.format() == textOutput && c.global.query == "" }
