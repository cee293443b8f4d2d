package buildflags

import (
	"errors"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
)

// Parse reads the arguments that follow `docker build`. Its error is a
// *drydock.Error with Code Invalid. Values of arguments, labels and secrets
// are never part of an error's text.
func Parse(args []string) (*Build, error) {
	p := &parser{build: &Build{}, flags: pflag.NewFlagSet("build", pflag.ContinueOnError)}
	p.flags.Usage = func() {}
	p.imageFlags()
	p.inputFlags()
	p.cacheFlags()
	p.outputFlags()
	p.resourceFlags()
	p.ignoredFlags()
	if err := p.flags.Parse(args); err != nil {
		return nil, p.explain(err)
	}
	if err := p.context(); err != nil {
		return nil, err
	}
	if p.build.Context == "-" && p.build.Dockerfile == "-" {
		return nil, invalid("both the context and the Dockerfile are to be read from standard input").
			WithHint("give one of them as a file")
	}
	return p.build, nil
}

// parser fills build as its flags are met.
type parser struct {
	build *Build
	flags *pflag.FlagSet
}

// context takes the one positional argument.
func (p *parser) context() error {
	args := p.flags.Args()
	switch {
	case len(args) == 0:
		return invalid("no build context: `docker build` takes exactly one").
			WithHint("add a folder, a URL or `-` to the end, usually `.`")
	case len(args) > 1 && len(p.build.SecretArgs) > 0:
		// A secret with blanks outside quotes ends up among them.
		return invalid("%d build contexts: `docker build` takes exactly one", len(args)).
			WithHint("put values with blanks in quotes")
	case len(args) > 1:
		return invalid("%d build contexts (%q): `docker build` takes exactly one", len(args), args).
			WithHint("put values with blanks in quotes")
	case args[0] == "":
		return invalid("the build context is empty").WithHint("the current folder is `.`")
	}
	p.build.Context = args[0]
	return nil
}

// value defines a flag whose values are read by set. What set returns is shown
// to users, so it must hold no secret.
func (p *parser) value(name, short string, set func(string) error) {
	p.flags.FuncP(name, short, "", set)
}

// explain turns an error of pflag, whose text has the value in it, into one
// that users may see.
func (p *parser) explain(err error) error {
	var (
		unknown  *pflag.NotExistError
		value    *pflag.InvalidValueError
		required *pflag.ValueRequiredError
		user     *drydock.Error
	)
	switch {
	case errors.As(err, &unknown):
		return p.unknown(unknown)
	case errors.As(err, &required):
		return invalid("%s needs a value", spelled(required.GetFlag()))
	case errors.As(err, &value) && errors.As(value.Unwrap(), &user):
		return invalid("%s: %s", spelled(value.GetFlag()), user.Message).WithHint("%s", user.Hint)
	case errors.As(err, &value) && value.GetFlag().Value.Type() == "bool":
		return invalid("%s: its value is neither true nor false", spelled(value.GetFlag()))
	case errors.As(err, &value):
		return invalid("%s: its value can't be read as %s", spelled(value.GetFlag()), value.GetFlag().Value.Type())
	case errors.Is(err, pflag.ErrHelp):
		return invalid("`docker build --help` builds nothing")
	default:
		return invalid("the flags can't be read").WithHint("a flag is -x, -x VALUE, --name, --name VALUE or --name=VALUE")
	}
}

// invalid returns an error for users.
func invalid(format string, args ...any) *drydock.Error {
	return drydock.Errorf(drydock.Invalid, format, args...)
}
