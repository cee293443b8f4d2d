package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The files of a store.
const (
	profileFile = "profile.json"
	tokensFile  = "tokens.json"
)

// Store keeps a profile in a folder that is its user's alone.
type Store struct{ Dir string }

// Folder returns where a user's state is: $DRYDOCK_CONFIG_DIR, or a folder of
// the one that scripts for the Azure CLI choose, or the platform's usual place
// for configuration.
func Folder(getenv func(string) string, usual func() (string, error)) (string, error) {
	if dir := getenv("DRYDOCK_CONFIG_DIR"); dir != "" {
		return dir, nil
	}
	if dir := getenv("AZURE_CONFIG_DIR"); dir != "" {
		return filepath.Join(dir, "drydock"), nil
	}
	dir, err := usual()
	if err != nil {
		return "", fmt.Errorf("finding the folder for the client's state; set $DRYDOCK_CONFIG_DIR: %w", err)
	}
	return filepath.Join(dir, "drydock"), nil
}

// Load returns the profile; it is empty at first.
func (s Store) Load() (*Profile, error) {
	p := &Profile{}
	return p, s.read(profileFile, p)
}

// Save keeps a profile.
func (s Store) Save(p *Profile) error { return s.write(profileFile, p) }

// Clear forgets everything.
func (s Store) Clear() error {
	sessions, err := filepath.Glob(filepath.Join(s.Dir, "session-*.json"))
	if err != nil {
		return err
	}
	names := []string{profileFile, tokensFile}
	for _, path := range sessions {
		names = append(names, filepath.Base(path))
	}
	for _, name := range names {
		if err := os.Remove(filepath.Join(s.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s Store) read(name string, v any) error {
	path := filepath.Join(s.Dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the client's state: %w", err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("reading the client's state: %s: %w", path, err)
	}
	return nil
}

// write replaces a file in one step, since commands run side by side.
func (s Store) write(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("keeping the client's state: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, "."+name+".*") // with mode 0600
	if err != nil {
		return fmt.Errorf("keeping the client's state: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.Dir, name))
	}
	if err != nil {
		return fmt.Errorf("keeping the client's state: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
