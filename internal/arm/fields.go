package arm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"
)

// kind is a type of JSON value.
type kind string

const (
	aString  kind = "a string"
	aBool    kind = "true or false"
	anInt    kind = "a whole number"
	anObject kind = "an object"
	aList    kind = "a list"
)

// field is what is known of a property of a resource. Properties that are not
// in a table of fields are kept as they are.
type field struct {
	// path has the keys from the top, "[]" for the elements of a list and "{}"
	// for the values of an object: "properties.step.values[].name".
	path     string
	kind     kind
	enum     []string // what a string may be, compared without regard to case
	asSent   bool     // it keeps the spelling in which it was sent
	min, max int      // of a number, or of a string's length; not checked if both are 0
	form     *regexp.Regexp
	required bool // where what it is in is there
}

// check compares an object with a table and reports all that is wrong at once.
// Strings of which only some are allowed get the spelling that they have in the
// table, as in ACR, but for those that are kept as they were sent.
func check(o object, fields []field) error {
	var wrong []apiError
	for _, f := range fields {
		f.walk(o, strings.Split(f.path, "."), "", &wrong)
	}
	if len(wrong) == 0 {
		return nil
	}
	sort.SliceStable(wrong, func(i, j int) bool { return wrong[i].Target < wrong[j].Target })
	e := wrong[0]
	e.Status = 400
	if len(wrong) > 1 {
		e.Details = wrong
	}
	return &e
}

// walk visits the values at a path and checks them.
func (f *field) walk(v any, path []string, where string, wrong *[]apiError) {
	o, ok := v.(object)
	if !ok {
		return // its own row says that it should be an object
	}
	key := path[0]
	name := strings.TrimSuffix(strings.TrimSuffix(key, "[]"), "{}")
	value, there := o[name]
	here := strings.TrimPrefix(where+"."+name, ".")
	switch {
	case len(path) == 1 && key == name:
		f.value(value, there, here, wrong)
		if there {
			o[name] = f.spelled(value)
		}
	case strings.HasSuffix(key, "[]"):
		elements, _ := value.([]any)
		for i, e := range elements {
			if len(path) == 1 {
				elements[i] = f.spelled(e)
			}
			f.element(e, path[1:], fmt.Sprintf("%s[%d]", here, i), wrong)
		}
	case strings.HasSuffix(key, "{}"):
		values, _ := value.(object)
		for k, e := range values {
			f.element(e, path[1:], here+"."+shorten(k), wrong)
		}
	default:
		f.walk(value, path[1:], here, wrong)
	}
}

func (f *field) element(v any, rest []string, here string, wrong *[]apiError) {
	if len(rest) == 0 {
		f.value(v, true, here, wrong)
		return
	}
	f.walk(v, rest, here, wrong)
}

func (f *field) value(v any, there bool, here string, wrong *[]apiError) {
	if !there || v == nil {
		if f.required {
			*wrong = append(*wrong, apiError{Code: "InvalidRequestContent", Target: here, Message: fmt.Sprintf("The property '%s' is required.", here)})
		}
		return
	}
	if problem := f.problem(v); problem != "" {
		*wrong = append(*wrong, apiError{Code: "InvalidRequestContent", Target: here, Message: fmt.Sprintf("The property '%s' %s.", here, problem)})
	}
}

// spelled returns a value as the table spells it.
func (f *field) spelled(v any) any {
	said, _ := v.(string)
	if f.asSent {
		return v
	}
	for _, e := range f.enum {
		if strings.EqualFold(e, said) {
			return e
		}
	}
	return v
}

// problem returns what is wrong with a value, "" for nothing.
func (f *field) problem(v any) string {
	if kindOf(v) != f.kind {
		return fmt.Sprintf("must be %s, not %s", f.kind, kindOf(v))
	}
	switch v := v.(type) {
	case string:
		return f.stringProblem(v)
	case json.Number:
		if n, err := v.Int64(); err != nil || (f.min != 0 || f.max != 0) && (n < int64(f.min) || n > int64(f.max)) {
			return fmt.Sprintf("must be from %d to %d, not %s", f.min, f.max, shorten(v.String()))
		}
	}
	return ""
}

func (f *field) stringProblem(v string) string {
	if f.max > 0 && (len(v) > f.max || len(v) < f.min) {
		return fmt.Sprintf("must have %d to %d characters, not %d", f.min, f.max, len(v))
	}
	if f.form != nil && !f.form.MatchString(v) {
		return fmt.Sprintf("can't be '%s': it must match %s", shorten(v), f.form)
	}
	if len(f.enum) == 0 {
		return ""
	}
	for _, e := range f.enum {
		if strings.EqualFold(e, v) {
			return ""
		}
	}
	return fmt.Sprintf("can't be '%s': it is one of %s", shorten(v), strings.Join(f.enum, ", "))
}

func kindOf(v any) kind {
	switch v := v.(type) {
	case string:
		return aString
	case bool:
		return aBool
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return anInt
		}
		return "a number"
	case object:
		return anObject
	case []any:
		return aList
	}
	return "null"
}

// anyOf is a field for which several strings are allowed.
func anyOf(path string, values ...string) field {
	return field{path: path, kind: aString, enum: values}
}

// switches are fields that are "enabled" or "disabled", in their own spelling.
func switches(on, off string, paths ...string) []field {
	var fields []field
	for _, p := range paths {
		fields = append(fields, anyOf(p, on, off))
	}
	return fields
}

// maxText is how long the strings of kinds may be: longer than any name, path,
// URL or token.
const maxText = 16 << 10

// kinds are fields of one kind of which no more is asked.
func kinds(k kind, paths ...string) []field {
	var fields []field
	for _, p := range paths {
		f := field{path: p, kind: k}
		if k == aString {
			f.max = maxText
		}
		fields = append(fields, f)
	}
	return fields
}
