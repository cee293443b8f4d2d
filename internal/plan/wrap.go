package plan

import (
	"reflect"
)

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
