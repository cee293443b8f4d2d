package images

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// libraries finds the shared libraries that programs need, as the dynamic loader
// would, but without running anything.
type libraries struct {
	defaults []string // the loader's built-in folders
	extra    []string // the folders of /etc/ld.so.conf
	machine  elf.Machine
}

// newLibraries returns a finder for programs of this machine.
func newLibraries(arch architecture, machine elf.Machine) (*libraries, error) {
	extra, err := loaderFolders("/etc/ld.so.conf", 0)
	if err != nil {
		return nil, fmt.Errorf("reading the loader's folders: %w", err)
	}
	return &libraries{
		defaults: []string{
			"/lib/" + arch.triplet, "/usr/lib/" + arch.triplet, "/lib", "/usr/lib", "/lib64", "/usr/lib64",
		},
		extra:   extra,
		machine: machine,
	}, nil
}

// loaderFolders returns the folders that a file in the format of ld.so.conf
// lists, those of the files that it includes among them. A missing file lists
// none.
func loaderFolders(file string, depth int) ([]string, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if depth > 8 {
		return nil, fmt.Errorf("%s: includes nested too deeply", file)
	}
	var folders []string
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "hwcap":
		case fields[0] == "include":
			included, err := includedFolders(file, fields[1:], depth)
			if err != nil {
				return nil, err
			}
			folders = append(folders, included...)
		default:
			folders = append(folders, fields[0])
		}
	}
	return folders, nil
}

func includedFolders(file string, patterns []string, depth int) ([]string, error) {
	var folders []string
	for _, pattern := range patterns {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(file), pattern)
		}
		matches, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, match := range matches {
			more, err := loaderFolders(match, depth+1)
			if err != nil {
				return nil, err
			}
			folders = append(folders, more...)
		}
	}
	return folders, nil
}

// binary is what an ELF file says about what it needs.
type binary struct {
	machine elf.Machine
	loader  string   // "" for a static program and for most libraries
	needed  []string // sonames
	runpath []string // folders, $ORIGIN resolved
}

func readBinary(path string) (*binary, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	defer f.Close()
	b := &binary{machine: f.Machine}
	for _, prog := range f.Progs {
		if prog.Type == elf.PT_INTERP {
			data := make([]byte, prog.Filesz)
			if _, err := prog.ReadAt(data, 0); err != nil {
				return nil, fmt.Errorf("reading the loader's name in %s: %w", path, err)
			}
			b.loader = strings.TrimRight(string(data), "\x00")
		}
	}
	if b.needed, err = f.ImportedLibraries(); err != nil {
		return nil, fmt.Errorf("reading the needed libraries of %s: %w", path, err)
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		values, err := f.DynString(tag)
		if err != nil {
			return nil, fmt.Errorf("reading the library folders of %s: %w", path, err)
		}
		for _, value := range values {
			origin := strings.NewReplacer("$ORIGIN", filepath.Dir(path), "${ORIGIN}", filepath.Dir(path))
			b.runpath = append(b.runpath, filepath.SplitList(origin.Replace(value))...)
		}
	}
	return b, nil
}

// addProgram adds the loader and all libraries that the program at path needs
// to t.
func (l *libraries) addProgram(t tree, path string) error {
	b, err := readBinary(path)
	if err != nil {
		return err
	}
	if b.loader != "" {
		t.copy(b.loader, 0o755, b.loader)
	}
	return l.addNeeded(t, b, map[string]bool{filepath.Base(b.loader): true})
}

// addLibrary adds the library with the given soname, and what it needs, to t.
func (l *libraries) addLibrary(t tree, soname string) error {
	return l.addNeeded(t, &binary{machine: l.machine, needed: []string{soname}}, map[string]bool{})
}

// addNeeded adds what b needs, seen aside, to t.
func (l *libraries) addNeeded(t tree, b *binary, seen map[string]bool) error {
	for _, soname := range b.needed {
		if seen[soname] {
			continue
		}
		seen[soname] = true
		found, target, err := l.find(soname, b.runpath)
		if err != nil {
			return err
		}
		t.copy(target, 0o755, found)
		next, err := readBinary(found)
		if err != nil {
			return err
		}
		if err := l.addNeeded(t, next, seen); err != nil {
			return err
		}
	}
	return nil
}

// find returns where the library is on this machine, and where in an image the
// loader finds it without a cache or configuration of its own.
func (l *libraries) find(soname string, runpath []string) (found, target string, err error) {
	for _, dir := range append(runpath[:len(runpath):len(runpath)], l.defaults...) {
		if path := filepath.Join(dir, soname); l.fits(path) {
			return path, path, nil
		}
	}
	for _, dir := range l.extra {
		if path := filepath.Join(dir, soname); l.fits(path) {
			return path, filepath.Join("/usr/lib", soname), nil
		}
	}
	return "", "", fmt.Errorf("finding library %s: %w", soname, fs.ErrNotExist)
}

// fits reports whether path is a library of the right machine.
func (l *libraries) fits(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Machine == l.machine
}
