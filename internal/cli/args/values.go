package args

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// separator parts the values of one flag on their way through pflag. Nobody
// types it.
const separator = "\x1f"

// multiple is a flag that takes several values at once.
type multiple interface {
	pflag.Value
	min() int
}

// List is a flag with one or more values: --identities a b.
type List struct {
	Values []string
	Given  bool // also without a value
	Empty  bool // whether it may be given without one
}

var _ multiple = (*List)(nil)

func (l *List) min() int {
	if l.Empty {
		return 0
	}
	return 1
}

// String implements pflag.Value.
func (l *List) String() string { return strings.Join(l.Values, " ") }

// Type implements pflag.Value.
func (*List) Type() string { return "VALUE ..." }

// Set implements pflag.Value: it adds values.
func (l *List) Set(text string) error {
	l.Given = true
	if text != "" {
		l.Values = append(l.Values, strings.Split(text, separator)...)
	}
	return nil
}

// Groups is a flag that may be given several times, each with one or more
// values: --repository hello content/read --repository other content/write.
type Groups [][]string

var _ multiple = (*Groups)(nil)

func (*Groups) min() int { return 1 }

// String implements pflag.Value.
func (g *Groups) String() string {
	var parts []string
	for _, group := range *g {
		parts = append(parts, strings.Join(group, " "))
	}
	return strings.Join(parts, ", ")
}

// Type implements pflag.Value.
func (*Groups) Type() string { return "VALUE ..." }

// Set implements pflag.Value: it adds a group.
func (g *Groups) Set(text string) error {
	*g = append(*g, strings.Split(text, separator))
	return nil
}

// Bool is a flag with three states: absent, true (also without a value), false.
type Bool struct {
	Value, Given bool
}

var boolWords = map[string]bool{
	"true": true, "t": true, "yes": true, "y": true, "1": true,
	"false": false, "f": false, "no": false, "n": false, "0": false,
}

func isBool(word string) bool {
	_, ok := boolWords[strings.ToLower(word)]
	return ok
}

// Var adds the flag to a set.
func (b *Bool) Var(flags *pflag.FlagSet, name, usage string) {
	flags.Var(b, name, usage)
	flags.Lookup(name).NoOptDefVal = "true"
}

// String implements pflag.Value.
func (b *Bool) String() string {
	if !b.Given {
		return ""
	}
	return strconv.FormatBool(b.Value)
}

// Type implements pflag.Value.
func (*Bool) Type() string { return "true|false" }

// Set implements pflag.Value.
func (b *Bool) Set(text string) error {
	value, ok := boolWords[strings.ToLower(text)]
	if !ok {
		return fmt.Errorf("%q is neither true nor false", text)
	}
	b.Value, b.Given = value, true
	return nil
}

// Or returns the value, or another one if the flag is absent.
func (b *Bool) Or(otherwise bool) bool {
	if b.Given {
		return b.Value
	}
	return otherwise
}

// Enum is a flag whose value is one of a list, in any case.
type Enum struct {
	Value   string // as it is in Choices; "" if the flag is absent
	Choices []string
}

// String implements pflag.Value.
func (e *Enum) String() string { return e.Value }

// Type implements pflag.Value.
func (e *Enum) Type() string { return strings.Join(e.Choices, "|") }

// Set implements pflag.Value.
func (e *Enum) Set(text string) error {
	i := slices.IndexFunc(e.Choices, func(c string) bool { return strings.EqualFold(c, text) })
	if i < 0 {
		return fmt.Errorf("%q is not one of %s", text, strings.Join(e.Choices, ", "))
	}
	e.Value = e.Choices[i]
	return nil
}
