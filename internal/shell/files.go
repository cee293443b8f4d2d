package shell

import (
	"io"
	"reflect"
	"sync"
)

// files are the descriptors 0 to 9 of a command; nil is a closed one.
type files [10]*file

// file is what a descriptor refers to. Either side may be nil.
type file struct {
	r    io.Reader
	w    io.Writer
	pipe bool // w is a pipe of the script
}

func (f *file) reader() io.Reader {
	if f == nil {
		return nil
	}
	return f.r
}

func (f *file) writer() io.Writer {
	if f == nil {
		return nil
	}
	return f.w
}

// piped reports whether a command with these descriptors can meet a broken pipe.
func (f *files) piped() bool {
	return (f[1] != nil && f[1].pipe) || (f[2] != nil && f[2].pipe)
}

// lockedWriters guards the writers of a script against writes at once. Writers
// that are the same share a lock.
func lockedWriters(stdout, stderr io.Writer) [2]*file {
	out := [2]*file{{}, {}}
	if stdout != nil {
		out[0].w = &lockedWriter{w: stdout}
	}
	switch {
	case stderr == nil:
	case sameWriter(stdout, stderr):
		out[1] = out[0]
	default:
		out[1].w = &lockedWriter{w: stderr}
	}
	return out
}

// sameWriter compares two writers, also of types that can't be compared.
func sameWriter(a, b io.Writer) bool {
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
