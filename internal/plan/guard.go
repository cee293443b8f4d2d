package plan

import (
	"context"
	"errors"
	"reflect"
	"strconv"
)

// A template is untrusted code that runs in the daemon, and text/template has
// no limits of its own. The guard counts the work of every function, loop and
// nested template, bounds every value, and ends all of it with the context.
// Loops and printed values are reached by adding calls to the parse tree, as
// html/template does for escaping.
type guard struct {
	ctx   context.Context
	work  int
	depth int // of nested templates

	missing []missingField
}

const (
	maxWork    = 5_000_000 // units: a value that is looked at, 16 bytes of a text
	maxValue   = 4 << 20   // bytes of a value, all it refers to included
	maxDepth   = 100       // nesting of a value
	maxNesting = 1000      // of templates
	turnWork   = 50        // units that a turn of a loop or a call costs
	slowWork   = 250_000   // units that a function costs that stretches or makes keys

	tickName  = "_tick"
	enterName = "_enter"
	leaveName = "_leave"
	outName   = "_out"
	fieldName = "_field"
)

// limitError reports that a template does more than it may.
type limitError struct {
	what string
	max  string
	line int // of the template, where it is known better than by text/template; or 0
}

func (e *limitError) Error() string { return e.what + " is limited to " + e.max }

func limit(what string, max int) *limitError {
	return &limitError{what: what, max: strconv.Itoa(max)}
}

// tick is called in each turn of a loop.
func (g *guard) tick(line int) (string, error) {
	err := g.spend(turnWork)
	var l *limitError
	if errors.As(err, &l) {
		l.line = line
	}
	return "", err
}

// enter is called where a nested template begins.
func (g *guard) enter(line int) (string, error) {
	if g.depth++; g.depth > maxNesting {
		l := limit("the nesting of templates", maxNesting)
		l.line = line
		return "", l
	}
	return g.tick(line)
}

// leave is called where a nested template ends.
func (g *guard) leave() string {
	g.depth--
	return ""
}

// out is called with each value that is printed. What is missing prints
// nothing.
func (g *guard) out(v any) (any, error) {
	if v == nil {
		return "", g.spend(1)
	}
	return v, g.measure(reflect.ValueOf(v))
}

// spend counts work and ends it where it is too much.
func (g *guard) spend(units int) error {
	g.work += units
	if g.work > maxWork {
		return limit("the number of its operations", maxWork)
	}
	if err := g.ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return &limitError{what: "its time", max: renderTimeout.String()}
	} else if err != nil {
		return err
	}
	return nil
}

// before decides whether a function may be called.
func (g *guard) before(name string, args []reflect.Value) error {
	if err := g.spend(turnWork); err != nil {
		return err
	}
	for _, a := range args {
		if err := g.measure(a); err != nil {
			return err
		}
	}
	if units := cost(name, args); units > maxWork {
		return limit("the work of "+name, maxWork)
	} else if err := g.spend(int(units)); err != nil {
		return err
	}
	if growth(name, args) > maxValue {
		return limit("the result of "+name, maxValue)
	}
	return nil
}

// measure refuses values that are too large, too deep, or contain themselves.
func (g *guard) measure(v reflect.Value) error {
	size := 0
	return g.add(v, 0, &size)
}

func (g *guard) add(v reflect.Value, depth int, size *int) error {
	if depth > maxDepth {
		return limit("the depth of a value", maxDepth)
	}
	elements := 0
	switch v.Kind() {
	case reflect.String:
		*size += v.Len()
		elements = v.Len() / 16
	case reflect.Slice, reflect.Array, reflect.Map:
		*size += 16 * v.Len()
	}
	*size += 8
	if *size > maxValue {
		return limit("the size of a value", maxValue)
	}
	if err := g.spend(1 + elements); err != nil {
		return err
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			return g.add(v.Elem(), depth+1, size)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := g.add(v.Index(i), depth+1, size); err != nil {
				return err
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if err := errors.Join(g.add(it.Key(), depth+1, size), g.add(it.Value(), depth+1, size)); err != nil {
				return err
			}
		}
	}
	return nil
}
