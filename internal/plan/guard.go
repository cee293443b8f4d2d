package plan

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"text/template"
	"text/template/parse"
)

// A template is untrusted code that runs in the daemon, and text/template has
// no limits of its own. The guard counts the work of every function, loop and
// nested template, bounds every value, and ends all of it with the context.
// Loops and printed values are reached by adding calls to the parse tree, as
// html/template does for escaping.
type guard struct {
	ctx  context.Context
	work int
}

const (
	maxWork  = 5_000_000 // units: a function call, a loop, 16 bytes of an argument
	maxValue = 4 << 20   // bytes of a value, all it refers to included
	maxDepth = 100       // nesting of a value
	slowWork = 250_000   // what a function that stretches keys or makes them costs

	tickName = "_tick"
	outName  = "_out"
)

// limitError reports that a template does more than it may.
type limitError struct {
	what string
	max  int
}

func (e *limitError) Error() string { return fmt.Sprintf("%s is limited to %d", e.what, e.max) }

var errTooSlow = fmt.Errorf("it was not done within %s", renderTimeout)

// instrument adds the guard's calls to a parsed template.
func (g *guard) instrument(t *template.Template) {
	tick := template.Must(template.New("").Funcs(template.FuncMap{tickName: g.tick}).Parse("{{" + tickName + "}}")).Root.Nodes[0]
	for _, t := range t.Templates() {
		if t.Tree == nil || t.Root == nil {
			continue
		}
		walk(t.Root, func(n parse.Node) {
			switch n := n.(type) {
			case *parse.RangeNode:
				prepend(n.List, tick)
			case *parse.ActionNode:
				if len(n.Pipe.Decl) == 0 {
					n.Pipe.Cmds = append(n.Pipe.Cmds, call(outName, n.Pos))
				}
			}
		})
		prepend(t.Root, tick)
	}
}

func prepend(l *parse.ListNode, n parse.Node) {
	l.Nodes = append([]parse.Node{n.Copy()}, l.Nodes...)
}

func call(name string, pos parse.Pos) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pos,
		Args: []parse.Node{parse.NewIdentifier(name).SetPos(pos)},
	}
}

// tick is called in each turn of a loop and each nested template.
func (g *guard) tick() (string, error) { return "", g.spend(1) }

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
		return &limitError{what: "the number of its operations", max: maxWork}
	}
	if err := g.ctx.Err(); errors.Is(err, context.DeadlineExceeded) {
		return errTooSlow
	} else if err != nil {
		return err
	}
	return nil
}

var errorType = reflect.TypeFor[error]()

// wrap returns f under the limits, with the same parameters.
func (g *guard) wrap(name string, f any) any {
	fn := reflect.ValueOf(f)
	ft := fn.Type()
	in := make([]reflect.Type, ft.NumIn())
	for i := range in {
		in[i] = ft.In(i)
	}
	out := []reflect.Type{ft.Out(0), errorType}
	return reflect.MakeFunc(reflect.FuncOf(in, out, ft.IsVariadic()), func(args []reflect.Value) []reflect.Value {
		if err := g.before(name, args); err != nil {
			return []reflect.Value{reflect.Zero(out[0]), reflect.ValueOf(&err).Elem()}
		}
		var results []reflect.Value
		if ft.IsVariadic() {
			results = fn.CallSlice(args)
		} else {
			results = fn.Call(args)
		}
		err := g.measure(results[0])
		if len(results) > 1 && !results[1].IsNil() {
			return results
		}
		return []reflect.Value{results[0], reflect.ValueOf(&err).Elem()}
	}).Interface()
}

// before decides whether a function may be called.
func (g *guard) before(name string, args []reflect.Value) error {
	if err := g.spend(1); err != nil {
		return err
	}
	if slow(name) {
		if err := g.spend(slowWork); err != nil {
			return err
		}
	}
	for _, a := range args {
		if err := g.measure(a); err != nil {
			return err
		}
	}
	if growth(name, args) > maxValue {
		return &limitError{what: "the result of " + name, max: maxValue}
	}
	return nil
}

func slow(name string) bool {
	switch name {
	case "bcrypt", "htpasswd", "derivePassword", "genPrivateKey", "genCA", "genCAWithKey", "buildCustomCert",
		"genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
		return true
	}
	return false
}

// measure refuses values that are too large, too deep, or contain themselves.
func (g *guard) measure(v reflect.Value) error {
	size := 0
	return g.add(v, 0, &size)
}

func (g *guard) add(v reflect.Value, depth int, size *int) error {
	if depth > maxDepth {
		return &limitError{what: "the depth of a value", max: maxDepth}
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
		return &limitError{what: "the size of a value", max: maxValue}
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
