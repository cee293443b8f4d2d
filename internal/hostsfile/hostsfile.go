// Package hostsfile keeps a marked block of names in the hosts file of a
// machine, for those without a DNS that knows them.
package hostsfile

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// File is a hosts file with a block of our own in it. What stands outside of the
// block is left as it is. Its methods may be called from several goroutines.
type File struct {
	path    string
	mark    string // in the lines around the block
	address string

	mu sync.Mutex
}

// Open returns the file with the block of the given name, whose hosts have one
// address.
func Open(path, name, address string) *File {
	return &File{path: path, mark: "drydock " + name, address: address}
}

// hostName is what may be written: readers of the file split its lines at more
// than spaces, and names come from clients.
var hostName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// Host is a name with an address of its own.
type Host struct {
	Name    string
	Address netip.Addr
}

// Set makes these names, and further hosts with addresses of their own, the block.
// It does not write when they are that already.
func (f *File) Set(names []string, others ...Host) error {
	var lines []string
	add := func(address, name string) error {
		if !hostName.MatchString(name) {
			return fmt.Errorf("%q is not the name of a host", name)
		}
		lines = append(lines, address+" "+name+"\n")
		return nil
	}
	for _, name := range names {
		if err := add(f.address, name); err != nil {
			return err
		}
	}
	for _, h := range others {
		if err := add(h.Address.String(), h.Name); err != nil {
			return err
		}
	}
	slices.Sort(lines)
	var block strings.Builder
	for _, line := range slices.Compact(lines) {
		block.WriteString(line)
	}
	return f.replace(block.String())
}

// Remove removes the block.
func (f *File) Remove() error { return f.replace("") }

func (f *File) replace(block string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	old, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the hosts file: %w", err)
	}
	text := f.without(old)
	if block != "" {
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			text = append(text, '\n')
		}
		text = append(text, f.begin()+block+f.end()...)
	}
	if bytes.Equal(text, old) {
		return nil
	}
	if err := f.write(text); err != nil {
		return fmt.Errorf("writing the hosts file: %w", err)
	}
	return nil
}

func (f *File) begin() string { return "# begin " + f.mark + "\n" }
func (f *File) end() string   { return "# end " + f.mark + "\n" }

// without returns a text without the block. One whose end is missing is left
// alone but for its first line: what follows may be somebody else's.
func (f *File) without(text []byte) []byte {
	lines := bytes.SplitAfter(text, []byte("\n"))
	var out []byte
	for i := 0; i < len(lines); i++ {
		if !same(lines[i], f.begin()) {
			out = append(out, lines[i]...)
			continue
		}
		end := slices.IndexFunc(lines[i:], func(l []byte) bool { return same(l, f.end()) })
		if end > 0 {
			i += end
		}
	}
	return out
}

// same compares lines without regard to how they end.
func same(line []byte, text string) bool {
	return strings.TrimRight(string(line), "\r\n") == strings.TrimRight(text, "\n")
}

// write replaces the file in one step where that is possible. In containers it
// often is a mount of its own, which can only be written in place.
func (f *File) write(text []byte) error {
	mode := os.FileMode(0o644)
	if info, err := os.Stat(f.path); err == nil {
		mode = info.Mode().Perm()
	}
	path, err := filepath.EvalSymlinks(f.path)
	if err != nil {
		path = f.path
	}
	if err := os.WriteFile(path+".drydock", text, mode); err == nil {
		if os.Rename(path+".drydock", path) == nil {
			return nil
		}
		_ = os.Remove(path + ".drydock") // it is in nobody's way
	}
	return os.WriteFile(path, text, mode)
}
