package main

import (
	"strconv"
	"time"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
)

// The forms of a run's output.
const (
	outputText = "text"
	outputJSON = "json"
)

// runFlags say how a run is carried out and shown.
type runFlags struct {
	credentials     []string
	timeout         duration
	allowPrivileged bool
	publish         bool
	dryRun          bool
	debug           bool
	noColor         bool
	output          string
}

func (f *runFlags) bind(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.credentials, "credential", nil, "credential of a registry, in the `JSON` of acb (many)")
	flags.Var(&f.timeout, "timeout", "`TIME` that the run may take, as 90m or in seconds")
	flags.BoolVar(&f.allowPrivileged, "allow-privileged", false, "carry out steps that are privileged")
	flags.BoolVar(&f.publish, "publish", false, "publish the ports of steps on this machine too")
	flags.BoolVar(&f.dryRun, "dry-run", false, "check the task and print what its steps would do")
	flags.BoolVar(&f.debug, "debug", false, "print the rendered task before it runs, and what the engine's libraries log")
	flags.BoolVar(&f.noColor, "no-color", false, "take colours out of the output of steps (also $NO_COLOR)")
	flags.StringVarP(&f.output, "output", "o", outputText, "`FORM` of the output: text, or json, an object a line and the result last")
}

// check refuses values that cobra can't know to be wrong.
func (f *runFlags) check() error {
	if f.output != outputText && f.output != outputJSON {
		return drydock.Errorf(drydock.Invalid, "--output %q is neither text nor json", f.output)
	}
	return nil
}

// duration is a flag's value: a Go duration, or a number of seconds as ACR has
// it.
type duration time.Duration

var _ pflag.Value = (*duration)(nil)

// Set parses s, which must be more than 0.
func (d *duration) Set(s string) error {
	parsed, err := time.ParseDuration(s)
	if seconds, numErr := strconv.ParseInt(s, 10, 32); numErr == nil {
		parsed, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || parsed <= 0 {
		return strconv.ErrSyntax
	}
	*d = duration(parsed)
	return nil
}

// String returns the duration as Go writes it, and "" for none.
func (d *duration) String() string {
	if *d == 0 {
		return ""
	}
	return time.Duration(*d).String()
}

// Type names the value in the help.
func (d *duration) Type() string { return "duration" }
