package buildkit

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/drydockhq/drydock"
)

// loaderOf returns the dynamic loader that the program in a file is started by, as
// the file names it; static programs have none.
func loaderOf(file string) (string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", fmt.Errorf("reading how the program is linked: %w", err)
	}
	defer f.Close()
	for _, segment := range f.Progs {
		if segment.Type != elf.PT_INTERP {
			continue
		}
		name, err := io.ReadAll(io.LimitReader(segment.Open(), maxLoader))
		if err != nil {
			return "", fmt.Errorf("reading how the program is linked: %w", err)
		}
		return string(bytes.TrimRight(name, "\x00")), nil
	}
	return "", nil
}

// maxLoader bounds what is read of the name of a loader: Linux takes no longer paths.
const maxLoader = 4096

// unusable says which images there are not, since their programs are not static;
// it is nil if all are.
func (p *programs) unusable() error {
	if len(p.dynamic) == 0 {
		return nil
	}
	var images []string
	loader := ""
	for _, name := range slices.Sorted(maps.Keys(p.dynamic)) {
		images = append(images, drydock.BuiltInImage(name))
		loader = p.dynamic[name]
	}
	return drydock.Errorf(drydock.Unavailable, "%s can't run: this drydockd is linked dynamically, and nothing but its own file is in them, no %s",
		strings.Join(images, " and "), loader).
		WithHint("build it with CGO_ENABLED=0, or set the aliases to images of your own")
}
