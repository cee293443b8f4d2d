package config

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/drydockhq/drydock"
)

// Sources are where settings come from, the strongest first.
type Sources struct {
	Flags    map[string][]string // by name of the flag, without those that are not given
	Environ  []string            // NAME=value
	File     []byte              // YAML; nil for none
	FileName string              // for messages
}

// Value is a setting as it is in force.
type Value struct {
	*Setting
	Values []string // empty for none
	From   string   // where it was set; "default" for nowhere
}

// notSet is where a value is from that is the default one.
const notSet = "default"

// IsSet reports whether it was set anywhere.
func (v Value) IsSet() bool { return v.From != notSet }

// Load returns the configuration, and the values that it was made from. All
// mistakes are named at once, in one error with code Invalid.
func Load(s Sources) (Config, []Value, error) {
	var c Config
	var mistakes []string
	file, bad := readFile(s.File, s.FileName)
	mistakes = append(mistakes, bad...)
	environ, bad := readEnvironment(s.Environ)
	mistakes = append(mistakes, bad...)

	var all []Value
	for _, setting := range Settings() {
		v := setting.find(s.Flags, environ, file)
		all = append(all, v)
		if len(v.Values) == 0 {
			continue
		}
		if err := setting.set(&c, v.Values); err != nil {
			mistakes = append(mistakes, fmt.Sprintf("%s: %s: %v", v.From, v.shown(), err))
		}
	}
	mistakes = append(mistakes, c.complete()...)
	if len(mistakes) > 0 {
		return c, all, drydock.Errorf(drydock.Invalid, "%w", &Mistakes{mistakes})
	}
	return c, all, nil
}

// Mistakes are all that is wrong with a configuration. It is the cause of Load's
// error.
type Mistakes struct {
	List []string // without line ends
}

// Error returns a line for each of several mistakes, after one that counts them.
func (m *Mistakes) Error() string {
	if len(m.List) == 1 {
		return "the configuration has a mistake: " + m.List[0]
	}
	return fmt.Sprintf("the configuration has %d mistakes:\n  %s", len(m.List), strings.Join(m.List, "\n  "))
}

// complete checks what several settings say together, and fills in what follows
// from them.
func (c *Config) complete() []string {
	if c.Slots == 0 {
		c.Slots = max(2, runtime.NumCPU())
	}
	if (c.Certificate == "") != (c.Key == "") {
		return append(c.checkOIDC(), "tls.certificate and tls.key: one needs the other")
	}
	return c.checkOIDC()
}

// find returns the strongest value of the setting.
func (s *Setting) find(flags map[string][]string, environ map[string]string, file map[string]entry) Value {
	if values, ok := flags[s.Flag()]; ok {
		return Value{s, values, "--" + s.Flag()}
	}
	if text, ok := environ[s.Variable()]; ok && text != "" {
		values := []string{text}
		if s.List {
			values = strings.Split(text, ",")
		}
		return Value{s, values, "$" + s.Variable()}
	}
	if e, ok := file[s.Name]; ok {
		return Value{s, e.values, e.from}
	}
	return Value{s, s.Default, notSet}
}

// shown returns the values, fit to be shown.
func (v Value) shown() string {
	texts := make([]string, len(v.Values))
	for i, value := range v.Values {
		texts[i] = fmt.Sprintf("%q", v.Show(value))
	}
	return strings.Join(texts, ", ")
}

// Show returns one of the values without its secrets.
func (v Value) Show(value string) string {
	if v.show == nil {
		return value
	}
	return v.show(value)
}

// readEnvironment returns the variables that are settings. Unknown ones with the
// prefix are mistakes: a misspelled one must not be ignored.
func readEnvironment(environ []string) (map[string]string, []string) {
	known := map[string]bool{}
	for _, s := range Settings() {
		known[s.Variable()] = true
	}
	found := map[string]string{}
	var mistakes []string
	for _, text := range environ {
		name, value, _ := strings.Cut(text, "=")
		switch {
		case known[name]:
			found[name] = value
		case strings.HasPrefix(name, "DRYDOCK_") && !otherVariables[name] && !fromKubernetes(name):
			mistakes = append(mistakes, "$"+name+": there is no such setting")
		}
	}
	return found, mistakes
}

// otherVariables name the configuration file itself, or are for the client: who
// uses both may export them.
var otherVariables = map[string]bool{"DRYDOCK_CONFIG": true, "DRYDOCK_CONFIG_DIR": true, "DRYDOCK_CA_FILE": true}

// fromKubernetes reports whether a variable is one of those that Kubernetes
// gives to containers beside a service named drydock.
func fromKubernetes(name string) bool {
	return strings.HasPrefix(name, "DRYDOCK_SERVICE_") || strings.HasPrefix(name, "DRYDOCK_PORT_")
}
