package shell

import (
	"maps"
	"strconv"

	"mvdan.cc/sh/v3/expand"
)

// scope holds the variables of a (sub)shell: those that the script assigned
// over those of the environment.
type scope struct {
	env    func(string) (string, bool)
	vars   map[string]string
	status int // $?
}

func newScope(env func(string) (string, bool)) *scope {
	if env == nil {
		env = func(string) (string, bool) { return "", false }
	}
	return &scope{env: env, vars: map[string]string{}}
}

// sub returns a copy, for a subshell.
func (s *scope) sub() *scope {
	return &scope{env: s.env, vars: maps.Clone(s.vars), status: s.status}
}

// set assigns a variable.
func (s *scope) set(name, value string) { s.vars[name] = value }

// lookup returns a variable or special parameter. A script has no arguments.
func (s *scope) lookup(name string) (string, bool) {
	switch name {
	case "?":
		return strconv.Itoa(s.status), true
	case "#":
		return "0", true
	case "0":
		return "sh", true
	case "@", "*":
		return "", false
	}
	if v, ok := s.vars[name]; ok {
		return v, true
	}
	return s.env(name)
}

var _ expand.Environ = (*scope)(nil)

// Get implements expand.Environ.
func (s *scope) Get(name string) expand.Variable {
	if name == "IFS" { // words are split at blanks, whatever the environment says
		return expand.Variable{}
	}
	v, ok := s.lookup(name)
	if !ok {
		return expand.Variable{}
	}
	return expand.Variable{Set: true, Kind: expand.String, Str: v}
}

// Each implements expand.Environ. Arithmetic, its one user, never iterates.
func (s *scope) Each(func(string, expand.Variable) bool) {}
