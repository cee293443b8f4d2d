package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	"github.com/drydockhq/drydock"
)

// watch looks for the texts of retryOnErrors in what a step writes, before
// masking. It keeps no more of a stream than the longest text less one byte.
type watch struct {
	texts   []string
	longest int
	found   atomic.Bool
}

func newWatch(texts []string) *watch {
	w := &watch{texts: texts}
	for _, text := range texts {
		w.longest = max(w.longest, len(text))
	}
	return w
}

// matches reports whether a failed attempt is to be made again. An error that
// is no exit status counts as output, since docker would have printed it.
func (w *watch) matches(err error) bool {
	if len(w.texts) == 0 || w.found.Load() {
		return true
	}
	var exit *drydock.ExitError
	if errors.As(err, &exit) {
		return false
	}
	for _, text := range w.texts {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

// writer returns a writer to dest that looks at what passes.
func (w *watch) writer(dest io.Writer) io.Writer {
	if len(w.texts) == 0 {
		return dest
	}
	return &watchedWriter{watch: w, dest: dest}
}

// watchedWriter is used by one goroutine at a time.
type watchedWriter struct {
	watch *watch
	dest  io.Writer
	tail  []byte
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if !w.watch.found.Load() {
		w.look(p)
	}
	return w.dest.Write(p)
}

func (w *watchedWriter) look(p []byte) {
	keep := w.watch.longest - 1
	seam := append(w.tail, p[:min(len(p), max(keep, 0))]...)
	for _, text := range w.watch.texts {
		if bytes.Contains(seam, []byte(text)) || bytes.Contains(p, []byte(text)) {
			w.watch.found.Store(true)
			return
		}
	}
	if len(p) < keep {
		w.tail = append(seam[:0], seam[max(0, len(seam)-keep):]...)
		return
	}
	w.tail = append(w.tail[:0], p[len(p)-max(keep, 0):]...)
}
