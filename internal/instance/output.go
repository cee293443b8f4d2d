package instance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/drydockhq/drydock"
)

const (
	// maxOutput bounds a file of a container's output; there are two at most,
	// the older of which goes when the newer is full.
	maxOutput = 2 << 20
	// maxStuck bounds the newer where it can't take the place of the older.
	maxStuck = 2 * maxOutput
	// maxLine is where lines that don't end are cut.
	maxLine = 16 << 10
	// backlog is how far a follower may lag behind, in writes.
	backlog = 256
)

// output keeps what a container writes: in files, each line with its time.
type output struct {
	path string
	now  func() time.Time
	lost func(error) // told once of what can't be kept, until it can be again

	mu        sync.Mutex
	file      *os.File // nil until something is written
	size      int64
	line      []byte // that has not ended
	failed    error  // that was told of
	stuck     bool   // the file is full and can't take the older one's place
	followers map[chan []byte]struct{}
	closed    bool
}

func newOutput(path string, now func() time.Time, lost func(error)) *output {
	o := &output{path: path, now: now, lost: lost, followers: map[chan []byte]struct{}{}}
	if info, err := os.Stat(path); err == nil {
		o.size = info.Size()
	}
	return o
}

// Write keeps what a container writes. It never fails: a disk that is full is no
// reason to stop a container.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tell(p)
	rest := p
	for len(rest) > 0 {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		o.line = append(o.line, line...)
		rest = after
		if ended || len(o.line) >= maxLine {
			o.keep()
		}
	}
	return len(p), nil
}

// keep writes the line. The caller holds the lock.
func (o *output) keep() {
	text := o.now().UTC().AppendFormat(nil, time.RFC3339Nano)
	text = append(append(append(text, ' '), o.line...), '\n')
	o.line = o.line[:0]
	err := o.append(text)
	if err != nil && o.failed == nil {
		o.lost(err)
	}
	if err != nil || !o.stuck {
		o.failed = err
	}
}

func (o *output) append(text []byte) error {
	if o.file == nil {
		if err := o.open(); err != nil {
			return err
		}
	}
	var turned error
	if more := int64(len(text)); o.size+more > maxOutput {
		if turned = o.turn(more); o.file == nil || o.size+more > maxStuck {
			return turned
		}
	}
	n, err := o.file.Write(text)
	o.size += int64(n)
	return errors.Join(turned, err)
}

// turn makes the file, which is full, the older one and begins a new one. Where
// that can't be it stays, and is emptied when it has no room for so many bytes.
func (o *output) turn(more int64) error {
	err := os.Rename(o.path, o.path+".1")
	if o.stuck = err != nil && !errors.Is(err, fs.ErrNotExist); !o.stuck {
		closed := o.file.Close()
		o.file = nil
		return errors.Join(closed, o.open())
	}
	if o.size+more <= maxStuck {
		return err
	}
	if emptied := o.file.Truncate(0); emptied != nil {
		return errors.Join(err, emptied)
	}
	o.size = 0
	return err
}

func (o *output) open() error {
	if err := os.MkdirAll(filepath.Dir(o.path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(o.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	o.file, o.size = file, info.Size()
	return nil
}

// flush ends a line that the program did not.
func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.line) > 0 {
		o.keep()
	}
}

// close ends the output. What was written stays readable.
func (o *output) close() {
	o.flush()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for f := range o.followers {
		close(f)
	}
	clear(o.followers)
	if o.file != nil {
		if err := o.file.Close(); err != nil {
			o.lost(err)
		}
		o.file = nil
	}
}

// tell sends what was written to those who follow. One that is too slow misses
// some. The caller holds the lock.
func (o *output) tell(p []byte) {
	for f := range o.followers {
		select {
		case f <- bytes.Clone(p):
		default:
		}
	}
}

// read returns the last lines, all for 0, with their times where those are
// wanted.
func (o *output) read(tail int, times bool) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text(tail, times)
}

// text is read for who holds the lock.
func (o *output) text(tail int, times bool) (string, error) {
	var all []byte
	for _, name := range []string{o.path + ".1", o.path} {
		data, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("reading the output of a container: %w", err)
		}
		all = append(all, data...)
	}
	lines := strings.SplitAfter(string(all), "\n")
	lines = lines[:len(lines)-1]
	if len(o.line) > 0 {
		lines = append(lines, o.now().UTC().Format(time.RFC3339Nano)+" "+string(o.line))
	}
	if tail > 0 && len(lines) > tail {
		lines = lines[len(lines)-tail:]
	}
	var b strings.Builder
	for _, line := range lines {
		if !times {
			_, line, _ = strings.Cut(line, " ")
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// follow writes what there is and what comes, until the container is over or
// done is closed.
func (o *output) follow(w io.Writer, done <-chan struct{}) error {
	o.mu.Lock()
	text, err := o.text(0, false)
	var more chan []byte
	if !o.closed && err == nil {
		more = make(chan []byte, backlog)
		o.followers[more] = struct{}{}
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, text); err != nil || more == nil {
		return err
	}
	defer func() {
		o.mu.Lock()
		delete(o.followers, more)
		o.mu.Unlock()
	}()
	for {
		select {
		case p, ok := <-more:
			if !ok {
				return nil
			}
			if _, err := w.Write(p); err != nil {
				return err
			}
		case <-done:
			return nil
		}
	}
}

// Logs returns the last lines of a container's output, all for 0: of the
// generation that is seen, over all of its restarts.
func (m *Manager) Logs(id drydock.ResourceID, container string, tail int, times bool) (string, error) {
	l, err := m.life(id, container)
	if err != nil || l == nil {
		return "", err
	}
	return l.output.read(tail, times)
}

// life returns a container of a group: code NotFound if there is none, and nil
// without an error for a group that has no containers at the moment.
func (m *Manager) life(id drydock.ResourceID, container string) (*life, error) {
	g := m.group(id)
	if g == nil {
		return nil, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	latest := g.latest()
	if latest == nil {
		return nil, nil
	}
	for _, l := range latest.all() {
		if strings.EqualFold(l.spec.Name, container) {
			return l, nil
		}
	}
	return nil, drydock.Errorf(drydock.NotFound, "the container group %s has no container %s", id.Name(), container)
}

// dropOtherLogs removes the output of generations that are neither this one nor
// served.
func (g *group) dropOtherLogs(generation string) {
	keep := map[string]bool{generation: true}
	g.mu.Lock()
	if g.current != nil {
		keep[g.current.generation()] = true
	}
	g.mu.Unlock()
	folder := g.m.folder(g.id)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // none yet
	}
	for _, e := range entries {
		if !keep[e.Name()] {
			if err := os.RemoveAll(filepath.Join(folder, e.Name())); err != nil {
				g.m.c.Log.WarnContext(g.ctx, "removing old output of containers", "group", g.id.Name(), "error", err)
			}
		}
	}
}
