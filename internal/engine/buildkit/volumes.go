package buildkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// writeVolumes makes the run's volumes, each a folder that steps can mount.
func (w *workspace) writeVolumes(volumes []drydock.Volume) error {
	for _, v := range volumes {
		if err := w.writeVolume(v); err != nil {
			return drydock.Errorf(drydock.Invalid, "making volume %q: %w", v.Name, err).
				WithHint("volumes and their files have plain names, without folders")
		}
	}
	return nil
}

func (w *workspace) writeVolume(v drydock.Volume) error {
	if !plainName(v.Name) {
		return errors.New("not a plain name")
	}
	dir := filepath.Join(w.volume, v.Name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return withoutDir(err)
	}
	for name, data := range v.Files {
		if !plainName(name) {
			return fmt.Errorf("file %q: not a plain name", name)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("file %q: %w", name, withoutDir(err))
		}
	}
	return nil
}

// plainName reports whether a name is that of a file in a folder, whatever the
// folder is.
func plainName(name string) bool {
	return filepath.IsLocal(name) && name != "." && !strings.ContainsRune(name, filepath.Separator)
}

// volumeDir returns the folder of a volume of the run.
func (w *workspace) volumeDir(name string) (string, error) {
	dir := filepath.Join(w.volume, name)
	if info, err := os.Stat(dir); !plainName(name) || err != nil || !info.IsDir() {
		return "", drydock.Errorf(drydock.Invalid, "the task has no volume %q", name)
	}
	return dir, nil
}
