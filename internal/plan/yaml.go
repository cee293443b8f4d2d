package plan

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// parseYAML returns the root of the text's first and only document, nil when
// it is empty.
func parseYAML(text string) (*yaml.Node, *decoder, error) {
	dec := &decoder{}
	yd := yaml.NewDecoder(strings.NewReader(text))
	var doc, more yaml.Node
	if err := yd.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, dec, nil
		}
		return nil, dec, findAnchor(syntaxError(err), text)
	}
	if yd.Decode(&more) == nil && more.Kind != 0 {
		return nil, dec, invalid(&more, "a second YAML document begins here; a file holds one")
	}
	if len(doc.Content) == 0 {
		return nil, dec, nil
	}
	return doc.Content[0], dec, nil
}

var yamlPosition = regexp.MustCompile(`^(?:yaml: )?(?:unmarshal errors:\s*)?line (\d+): `)

// syntaxError turns an error of the YAML parser into one with a line.
func syntaxError(err error) *drydock.Error {
	text := err.Error()
	e := &drydock.Error{Code: drydock.Invalid, Err: err}
	if p := yamlPosition.FindStringSubmatch(text); p != nil {
		e.Line, _ = strconv.Atoi(p[1])
		e.Column = 1
		text = text[len(p[0]):]
	}
	text = strings.TrimPrefix(text, "yaml: ")
	e.Message = "YAML: " + text
	switch {
	case strings.Contains(text, "cannot start any token"):
		e.Hint = "put the value into quotes; indent with spaces"
	case strings.Contains(text, "unexpected end of stream"):
		e.Hint = "a quote or a bracket that is opened here is not closed"
	case strings.Contains(text, "mapping values are not allowed"), strings.Contains(text, "did not find expected"):
		e.Hint = "check the indentation, and quote values that contain `: ` or begin with a special character"
	}
	return e
}

var unknownAnchor = regexp.MustCompile(`unknown anchor '(.+)' referenced`)

// findAnchor gives the error about an anchor, which has no position, the one
// of its first use.
func findAnchor(e *drydock.Error, text string) *drydock.Error {
	name := unknownAnchor.FindStringSubmatch(e.Message)
	if name == nil {
		return e
	}
	e.Hint = "quote the value when the `*` is meant literally"
	if at := strings.Index(text, "*"+name[1]); at >= 0 && e.Line == 0 {
		start := strings.LastIndexByte(text[:at], '\n') + 1
		return e.At(lineEnds(text).line(at), utf8.RuneCountInString(text[start:at])+1)
	}
	return e
}

// invalid returns an error at n.
func invalid(n *yaml.Node, format string, args ...any) *drydock.Error {
	return drydock.Errorf(drydock.Invalid, format, args...).At(n.Line, n.Column)
}

// resolveAlias returns what a YAML alias stands for, and n itself when it is none.
func resolveAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// isNull reports whether there is no value.
func isNull(n *yaml.Node) bool {
	return n == nil || resolveAlias(n).Kind == yaml.ScalarNode && resolveAlias(n).ShortTag() == "!!null"
}

// kindOf names what a node is, for errors.
func kindOf(n *yaml.Node) string {
	n = resolveAlias(n)
	switch n.Kind {
	case yaml.MappingNode:
		return "a map"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "a boolean"
	case "!!int", "!!float":
		return "a number"
	}
	return "text"
}
