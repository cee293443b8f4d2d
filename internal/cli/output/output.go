// Package output prints results of commands as the Azure CLI does: as JSON,
// YAML, tables or tab-separated values, whole or through a JMESPath query.
package output

import (
	"fmt"
	"io"
	"strings"
)

// Formats are the values of --output.
var formats = map[string]func(*printer) error{
	"json":  (*printer).json,
	"jsonc": (*printer).jsonInColor,
	"table": (*printer).table,
	"tsv":   (*printer).tsv,
	"yaml":  (*printer).yaml,
	"yamlc": (*printer).yaml,
	"none":  func(*printer) error { return nil },
}

// Formats returns the values of --output, in the order in which they are shown.
func Formats() []string {
	return []string{"json", "jsonc", "none", "table", "tsv", "yaml", "yamlc"}
}

// Options say how a value is printed.
type Options struct {
	Format string // one of Formats
	Query  *Query // nil for the whole value
	Table  Table  // makes rows of a whole value; nil for all that is scalar
	// Items returns what a table of a whole value has rows for; nil for the parts
	// of a list, or the value as the only one.
	Items func(value any) []any
	Color bool // whether jsonc has colours
}

// Table makes the rows of a table from one item of a result.
type Table func(item any) Row

// Row is a row of a table.
type Row []Cell

// Cell is a row's value in one column.
type Cell struct{ Column, Value string }

// Print writes a value: what encoding/json decodes into an any. Nil prints
// nothing.
func Print(w io.Writer, value any, o Options) error {
	format := formats[o.Format]
	if format == nil {
		return fmt.Errorf("there is no output format %q; there are %s", o.Format, strings.Join(Formats(), ", "))
	}
	if o.Query != nil {
		var err error
		if value, err = o.Query.apply(value); err != nil {
			return err
		}
	}
	if value == nil {
		return nil
	}
	return format(&printer{w: w, value: value, o: o})
}

type printer struct {
	w     io.Writer
	value any
	o     Options
}

// items returns the parts of a list, or the value as the only one.
func (p *printer) items() []any {
	if p.o.Items != nil && p.o.Query == nil && p.o.Format == "table" {
		return p.o.Items(p.value)
	}
	if list, ok := p.value.([]any); ok {
		return list
	}
	return []any{p.value}
}
