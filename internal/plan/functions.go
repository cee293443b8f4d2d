package plan

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

// functions returns what templates can call: Sprig without what reads the
// daemon's machine, with ACR's own b64enc, under the guard's limits. now is
// the time of the run, so that a task renders the same each time.
func (g *guard) functions(now time.Time) template.FuncMap {
	all := baseFunctions()
	all["now"] = func() time.Time { return now }
	for name, f := range all {
		all[name] = g.wrap(name, f)
	}
	for name, why := range refused() {
		all[name] = refusal(name, why)
	}
	all[tickName], all[enterName], all[leaveName] = g.tick, g.enter, g.leave
	all[outName], all[fieldName] = g.out, g.field
	return all
}

func baseFunctions() template.FuncMap {
	all := template.FuncMap(sprig.TxtFuncMap())
	all["b64enc"] = base64Encode
	all["print"] = fmt.Sprint
	all["printf"] = fmt.Sprintf
	all["println"] = fmt.Sprintln
	all["html"] = template.HTMLEscaper
	all["js"] = template.JSEscaper
	all["urlquery"] = template.URLQueryEscaper
	return all
}

// refused are Sprig's functions that would show the daemon's machine to a task.
func refused() map[string]string {
	return map[string]string{
		"env":           "the environment of the daemon",
		"expandenv":     "the environment of the daemon",
		"getHostByName": "the network of the daemon",
	}
}

func refusal(name, what string) any {
	return func(...any) (string, error) {
		return "", errors.New(name + " would show " + what + " to the task and is refused; pass values with --set")
	}
}

// base64Encode is Sprig's b64enc but takes what is missing as "", and numbers
// as text.
func base64Encode(v any) string {
	if v == nil {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(v)))
}

// functionNames returns the names that a template can call, sorted.
func functionNames() []string {
	names := []string{"and", "or", "not", "len", "index", "slice", "eq", "ne", "lt", "le", "gt", "ge"}
	for name := range baseFunctions() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
