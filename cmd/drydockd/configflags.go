package main

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

// defaultConfigFile is read when no other is named and it is there.
const defaultConfigFile = "/etc/drydock/drydock.yaml"

// configFlags are the flags of the commands that deal with a server.
type configFlags struct {
	file  string
	flags *pflag.FlagSet
}

// bind adds --config, and a flag for each of the settings with the given names;
// for all without names.
func (f *configFlags) bind(flags *pflag.FlagSet, names ...string) {
	f.flags = flags
	flags.StringVar(&f.file, "config", "", "configuration `FILE` (default: $DRYDOCK_CONFIG, or "+defaultConfigFile+" if it is there)")
	for _, s := range config.Settings() {
		if len(names) > 0 && !slices.Contains(names, s.Name) {
			continue
		}
		if s.Switch {
			flags.Bool(s.Flag(), s.Default[0] == "true", s.Usage)
			continue
		}
		text := s.Usage
		if s.List {
			text += " (many)"
		}
		flags.Var(&settingFlag{setting: s}, s.Flag(), text)
	}
}

// settingFlag is the value of a setting's flag.
type settingFlag struct {
	setting *config.Setting
	values  []string // that were given
}

var _ pflag.Value = (*settingFlag)(nil)

// Set implements pflag.Value. Values are checked with those from elsewhere.
func (f *settingFlag) Set(v string) error {
	if !f.setting.List {
		f.values = nil
	}
	f.values = append(f.values, v)
	return nil
}

// String returns the values, or the default ones.
func (f *settingFlag) String() string {
	switch {
	case f.setting == nil: // pflag makes one to compare with
		return ""
	case f.values == nil:
		return strings.Join(f.setting.Default, ",")
	}
	return strings.Join(f.values, ",")
}

// Type names the value in the help.
func (f *settingFlag) Type() string { return f.setting.Value }

// load returns the configuration that is in force.
func (f *configFlags) load(environ []string) (config.Config, []config.Value, error) {
	s := config.Sources{Flags: map[string][]string{}, Environ: environ}
	f.flags.Visit(func(flag *pflag.Flag) {
		if v, ok := flag.Value.(*settingFlag); ok {
			s.Flags[flag.Name] = v.values
		} else {
			s.Flags[flag.Name] = []string{flag.Value.String()}
		}
	})
	var err error
	if s.FileName, s.File, err = f.read(environ); err != nil {
		return config.Config{}, nil, err
	}
	return config.Load(s)
}

// read reads the configuration file.
func (f *configFlags) read(environ []string) (name string, text []byte, err error) {
	name = f.file
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, "DRYDOCK_CONFIG="); ok && name == "" {
			name = value
		}
	}
	if name == "" {
		text, err := os.ReadFile(defaultConfigFile)
		if errors.Is(err, fs.ErrNotExist) {
			return "", nil, nil
		}
		if err != nil {
			return "", nil, drydock.Errorf(drydock.Invalid, "reading the configuration: %w", err)
		}
		return defaultConfigFile, text, nil
	}
	if text, err = os.ReadFile(name); err != nil {
		return "", nil, drydock.Errorf(drydock.Invalid, "reading the configuration: %w", err)
	}
	return name, text, nil
}
