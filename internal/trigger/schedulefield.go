package trigger

import (
	"fmt"
	"strconv"
	"strings"
)

// field is a field of an expression.
type field struct {
	name     string
	min, max int
	names    []string // of the values, from min on; nil for none
}

// fields are those of an expression, in their order. Unlike in other crons, 7 is
// no day of the week.
var fields = [5]field{
	{name: "minute", min: 0, max: 59},
	{name: "hour", min: 0, max: 23},
	{name: "day of month", min: 1, max: 31},
	{name: "month", min: 1, max: 12, names: []string{
		"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
	}},
	{name: "day of week", min: 0, max: 6, names: []string{
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
	}},
}

// parse reads a list of values, ranges and steps.
func (f *field) parse(text string) (set, error) {
	var all set
	for element := range strings.SplitSeq(text, ",") {
		s, err := f.element(element)
		if err != nil {
			return 0, fmt.Errorf("%s %q: %w", f.name, text, err)
		}
		all |= s
	}
	return all, nil
}

// element reads "*", "a" or "a-b", each with or without "/step". A single value
// with a step goes on to the end of the field.
func (f *field) element(text string) (set, error) {
	values, stepText, stepped := strings.Cut(text, "/")
	step := 1
	if stepped {
		var err error
		if step, err = strconv.Atoi(stepText); err != nil || step < 1 || stepText[0] == '+' {
			return 0, fmt.Errorf("%q is no step: it must be a whole number from 1 on", stepText)
		}
	}
	first, last, err := f.span(values, stepped)
	if err != nil {
		return 0, err
	}
	var s set
	for v := first; v <= last; v += min(step, f.max+1) {
		s |= 1 << v
	}
	return s, nil
}

// span reads what a step goes over.
func (f *field) span(text string, stepped bool) (first, last int, err error) {
	if text == "*" {
		return f.min, f.max, nil
	}
	from, to, isRange := strings.Cut(text, "-")
	if first, err = f.value(from); err != nil {
		return 0, 0, err
	}
	switch {
	case isRange:
		if last, err = f.value(to); err != nil {
			return 0, 0, err
		}
	case stepped:
		last = f.max
	default:
		last = first
	}
	if first > last {
		// NCronTab swaps the two, which is hardly what was meant.
		return 0, 0, fmt.Errorf("the range %q ends before it begins: write it as two, %q", text,
			fmt.Sprintf("%s-%d,%d-%s", from, f.max, f.min, to))
	}
	return first, last, nil
}

// value reads a number, or a name or a beginning of one that could be no other.
func (f *field) value(text string) (int, error) {
	if text != "" && '0' <= text[0] && text[0] <= '9' {
		v, err := strconv.Atoi(text)
		if err != nil || v < f.min || v > f.max {
			return 0, fmt.Errorf("%q is not from %d to %d", text, f.min, f.max)
		}
		return v, nil
	}
	found := -1
	for i, name := range f.names {
		if text == "" || !strings.HasPrefix(name, strings.ToLower(text)) {
			continue
		}
		if found >= 0 {
			return 0, fmt.Errorf("%q is the beginning of several names", text)
		}
		found = i + f.min
	}
	if found < 0 {
		return 0, fmt.Errorf("%q is no %s", text, f.name)
	}
	return found, nil
}
