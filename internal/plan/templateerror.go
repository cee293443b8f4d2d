package plan

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/drydockhq/drydock"
)

var (
	templatePosition = regexp.MustCompile(`^template: ` + templateName + `:(\d+)(?::(\d+))?: ?`)
	templateDetail   = regexp.MustCompile(`^executing "[^"]*" at <(.*)>: `)
	templateStart    = regexp.MustCompile(`^(.*) started at ` + templateName + `:(\d+)$`)
	missingFunction  = regexp.MustCompile(`^function "([^"]*)" not defined$`)
	nilPointer       = regexp.MustCompile(`nil pointer evaluating interface \{\}\.(\S+)$`)
)

// templateError gives an error of text/template its position.
func templateError(err error) *drydock.Error {
	var limit *limitError
	if errors.As(err, &limit) {
		e := drydock.Errorf(drydock.Invalid, "the template goes too far: %w", limit)
		if limit.line > 0 {
			return e.At(limit.line, 1)
		}
		return atTemplate(e, err.Error())
	}
	if errors.Is(err, context.Canceled) {
		return drydock.Errorf(drydock.Canceled, "rendering the template: %w", context.Canceled)
	}
	text := err.Error()
	message := templatePosition.ReplaceAllString(text, "")
	message = templateDetail.ReplaceAllString(message, "{{$1}}: ")
	if from := templateStart.FindStringSubmatch(message); from != nil {
		message = from[1]
		text = "template: " + templateName + ":" + from[2] + ":"
	}
	e := &drydock.Error{Code: drydock.Invalid, Message: "template: " + message, Err: err}
	if f := missingFunction.FindStringSubmatch(message); f != nil {
		e.Hint = nearest(f[1], functionNames())
	}
	if f := nilPointer.FindStringSubmatch(message); f != nil {
		e.Hint = "what ." + f[1] + " is taken from has no value; give one with --values or --set"
	}
	return atTemplate(e, text)
}

// atTemplate takes the position from a message of text/template.
func atTemplate(e *drydock.Error, text string) *drydock.Error {
	p := templatePosition.FindStringSubmatch(text)
	if p == nil {
		return e
	}
	e.Line, _ = strconv.Atoi(p[1])
	if p[2] != "" {
		e.Column, _ = strconv.Atoi(p[2])
		e.Column++
	}
	return e
}

// inRunes turns a column that counts bytes of text into one that counts runes.
func inRunes(e *drydock.Error, text string) *drydock.Error {
	lines := strings.Split(text, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Column < 1 {
		return e
	}
	line := lines[e.Line-1]
	e.Column = utf8.RuneCountInString(line[:min(e.Column-1, len(line))]) + 1
	return e
}
