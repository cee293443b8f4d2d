package config

import (
	"cmp"
	"strings"
)

// Setting is one thing that can be set, by the same name everywhere: as
// `retention.logs` in the file, --retention-logs as a flag and
// $DRYDOCK_RETENTION_LOGS in the environment.
type Setting struct {
	Name    string // with dots
	Option  string // the flag and the variable are named by it; "" for Name
	Value   string // placeholder of the value in the help
	Usage   string
	Default []string // one value, or many of a list
	List    bool     // several values: a flag is given again, commas in the environment
	Switch  bool     // true or false; the flag alone means true

	set func(c *Config, values []string) error
	// show returns a value fit to be shown; nil for as it is.
	show func(value string) string
}

// Flag returns the name of the setting's flag.
func (s *Setting) Flag() string { return strings.ReplaceAll(cmp.Or(s.Option, s.Name), ".", "-") }

// Variable returns the name of the setting's variable in the environment.
func (s *Setting) Variable() string {
	return "DRYDOCK_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(cmp.Or(s.Option, s.Name)))
}

// one makes a set function of one that takes a single value.
func one(set func(c *Config, value string) error) func(*Config, []string) error {
	return func(c *Config, values []string) error { return set(c, values[0]) }
}

// each makes a set function of one that takes each value of a list.
func each(set func(c *Config, value string) error) func(*Config, []string) error {
	return func(c *Config, values []string) error {
		for _, v := range values {
			if err := set(c, v); err != nil {
				return err
			}
		}
		return nil
	}
}
