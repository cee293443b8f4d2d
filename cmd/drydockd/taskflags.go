package main

import (
	"encoding/base64"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/plan"
	"github.com/drydockhq/drydock/internal/runner"
)

// taskFlags choose a task file and what its template is given.
type taskFlags struct {
	file        string
	encodedFile string
	setSecret   []string
	vault       string
	values      valueFlags
}

func (f *taskFlags) bind(flags *pflag.FlagSet) {
	flags.StringVarP(&f.file, "file", "f", "", "task `FILE`, relative to SOURCE; - for standard input (default: acb.yaml or acr-task.yaml)")
	flags.StringVar(&f.encodedFile, "encoded-file", "", "the task file itself, in `BASE64`")
	flags.StringArrayVar(&f.setSecret, "set-secret", nil, "as --set, and masked: `NAME=VALUE` (many)")
	bindVault(flags, &f.vault)
	f.values.bind(flags)
}

func bindVault(flags *pflag.FlagSet, name *string) {
	flags.StringVar(name, "vault", "", "YAML `FILE` that maps URLs of key vault secrets to their values")
}

// source returns the SOURCE of a command line.
func (f *taskFlags) source(args []string) (string, error) {
	switch {
	case len(args) == 0 || args[0] == "":
		return ".", nil
	case args[0] == "-" && f.file == "-":
		return "", drydock.Errorf(drydock.Invalid, "the task file and SOURCE can't both be standard input")
	default:
		return args[0], nil
	}
}

// taskFile returns the task that the flags choose, without what is read from
// the source.
func (f *taskFlags) taskFile(stdin io.Reader) (*runner.TaskFile, error) {
	t := &runner.TaskFile{Name: f.file, Input: plan.Input{Set: f.values.set, SecretSet: f.setSecret}}
	var err error
	switch {
	case f.file != "" && f.encodedFile != "":
		return nil, drydock.Errorf(drydock.Invalid, "--file and --encoded-file exclude each other")
	case f.file == "-":
		t.Content, err = runner.ReadFile("standard input", stdin)
	case f.encodedFile != "":
		t.Content, err = decoded("encoded-file", f.encodedFile)
	}
	if err != nil {
		return nil, err
	}
	t.Values, err = f.values.file()
	return t, err
}

// valueFlags are the values of a template.
type valueFlags struct {
	name    string
	encoded string
	set     []string
}

func (f *valueFlags) bind(flags *pflag.FlagSet) {
	flags.StringVar(&f.name, "values", "", "values `FILE`, relative to SOURCE")
	flags.StringVar(&f.encoded, "encoded-values", "", "the values file itself, in `BASE64`")
	flags.StringArrayVar(&f.set, "set", nil, "value of the template, stronger than the values file, as `NAME=VALUE` (many)")
}

func (f *valueFlags) file() (runner.ValuesFile, error) {
	switch {
	case f.name != "" && f.encoded != "":
		return runner.ValuesFile{}, drydock.Errorf(drydock.Invalid, "--values and --encoded-values exclude each other")
	case f.encoded != "":
		content, err := decoded("encoded-values", f.encoded)
		return runner.ValuesFile{Content: content}, err
	default:
		return runner.ValuesFile{Name: f.name}, nil
	}
}

// decoded returns the bytes of a flag in base64. Line breaks, as base64(1)
// makes them, don't count.
func decoded(flag, arg string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(arg), ""))
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "decoding --%s: %w", flag, err)
	}
	if len(b) == 0 {
		return nil, drydock.Errorf(drydock.Invalid, "--%s is empty", flag)
	}
	return b, nil
}
