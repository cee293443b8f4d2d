package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/config"
)

// namesFile holds the names that a server has for its clients, for commands that
// are given its data folder alone.
const namesFile = "names.json"

// keptNames is the form of the file.
type keptNames struct {
	Domain string `json:"domain"`
	Port   int    `json:"port"`
}

// keepNames writes the server's names to its data folder.
func (d *daemon) keepNames() error {
	text, err := json.Marshal(keptNames{d.names.domain, d.names.port})
	if err != nil {
		return err
	}
	file := d.path(namesFile)
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return drydock.Errorf(drydock.Unavailable, "keeping the server's names: %w", err)
	}
	return os.Rename(file+".new", file)
}

// serverNames returns the names of the server of a data folder: those that are
// set are stronger than those that it had when it started last.
func serverNames(c config.Config, values []config.Value) (hostNames, error) {
	names := hostNames{c.Domain, c.Port}
	text, err := os.ReadFile(filepath.Join(c.Data, namesFile))
	if errors.Is(err, fs.ErrNotExist) {
		return names, nil
	}
	var kept keptNames
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return names, fmt.Errorf("reading the server's names: %w", err)
	}
	set := map[string]bool{}
	for _, v := range values {
		set[v.Name] = v.IsSet()
	}
	if !set["domain"] {
		names.domain = kept.Domain
	}
	if !set["port"] && !set["listen"] {
		names.port = kept.Port
	}
	return names, nil
}
