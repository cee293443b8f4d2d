package plan

import (
	"context"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// growth returns an upper bound, in bytes, for what a function makes of its
// arguments beyond their own size, for the functions that can make much of
// little; 0 for all others.
func growth(name string, args []reflect.Value) float64 {
	switch name {
	case "repeat":
		return number(args[0]) * length(args[1])
	case "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes":
		return number(args[0])
	case "until":
		return 16 * number(args[0])
	case "untilStep":
		return 16 * span(args[0].Int(), args[1].Int(), args[2].Int())
	case "seq":
		return 16 * sequence(args[0])
	case "indent", "nindent":
		return number(args[0]) * (occurrences(args[1], "\n") + 1)
	case "replace":
		return length(args[1]) * occurrences(args[2], args[0].String())
	case "join":
		return length(args[0]) * items(args[1])
	case "wrapWith":
		return length(args[1]) * length(args[2])
	case "split", "splitList":
		return 64 * occurrences(args[1], args[0].String())
	case "splitn":
		return 64 * occurrences(args[2], args[0].String())
	case "regexReplaceAll", "mustRegexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAllLiteral":
		return (length(args[1]) + 1) * length(args[2])
	case "printf":
		return formatted(args[0].String(), args[1])
	}
	return 0
}

func number(v reflect.Value) float64 { return math.Abs(float64(v.Int())) }

func length(v reflect.Value) float64 { return float64(len(v.String())) }

func occurrences(v reflect.Value, sep string) float64 {
	return float64(strings.Count(v.String(), sep))
}

// items returns how many elements a list in an interface has.
func items(v reflect.Value) float64 {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Array {
		return float64(v.Len())
	}
	return 1
}

func span(start, stop, step int64) float64 {
	return math.Abs(float64(stop)-float64(start)) / math.Max(1, math.Abs(float64(step)))
}

// sequence returns the length of Sprig's seq: end; start end; start step end.
func sequence(args reflect.Value) float64 {
	n := args.Len()
	if n == 0 || n > 3 {
		return 0
	}
	start, step, end := int64(1), int64(1), args.Index(n-1).Int()
	if n > 1 {
		start = args.Index(0).Int()
	}
	if n > 2 {
		step = args.Index(1).Int()
	}
	return span(start, end, step)
}

var digits = regexp.MustCompile(`\d+`)

// formatted bounds the output of printf: each verb can print the largest
// argument, in escapes, and be padded to its width.
func formatted(format string, args reflect.Value) float64 {
	total := 0.0
	largest := 0.0
	for i := range args.Len() {
		a := args.Index(i)
		for a.Kind() == reflect.Interface && !a.IsNil() {
			a = a.Elem()
		}
		size := 0
		_ = (&guard{ctx: context.Background()}).add(a, 0, &size) // measured before, so within the limits
		largest = math.Max(largest, float64(size))
		if strings.Contains(format, "*") && a.CanInt() {
			total += number(a) * float64(strings.Count(format, "*"))
		}
	}
	for _, width := range digits.FindAllString(format, -1) {
		n, err := strconv.ParseFloat(width, 64)
		if err != nil {
			return math.Inf(1)
		}
		total += n
	}
	return total + 4*largest*float64(strings.Count(format, "%"))
}

// cost returns the units of work that a function takes beyond those for looking
// at its arguments.
func cost(name string, args []reflect.Value) float64 {
	switch name {
	case "bcrypt", "htpasswd", "derivePassword", "genPrivateKey", "genCA", "genCAWithKey", "buildCustomCert",
		"genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
		return slowWork
	case "semver":
		return 8 * length(args[0])
	case "semverCompare":
		return 8 * (length(args[0]) + length(args[1]))
	}
	if !strings.Contains(strings.ToLower(name), "regex") || len(args) < 2 {
		return 0
	}
	// A regular expression is carried out in steps of up to its own length for
	// each character, and a repetition makes up to a thousand of one.
	pattern := args[0].String()
	steps := float64(len(pattern)) * (64 + length(args[1]))
	if strings.Contains(pattern, "{") {
		steps *= 1000
	}
	return steps / 64
}
