package cli

import (
	"bytes"
	"io"
	"regexp"
	"strings"
)

// logWriter shows a run's log: it takes the carriage returns of ACR's line ends
// away, colours the lines that are the server's own, and calls files by the
// names that the user knows.
type logWriter struct {
	w     io.Writer
	color bool
	names *strings.Replacer // what is called by other names; nil for nothing
	line  []byte            // what is not a whole line yet
}

// own is what lines begin with that no step has written.
var own = regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d `)

const (
	dim   = "\x1b[2m"
	red   = "\x1b[31m"
	green = "\x1b[32m"
	reset = "\x1b[0m"
)

// Write implements io.Writer.
func (l *logWriter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			l.line = append(l.line, rest...)
			break
		}
		l.line = append(l.line, rest[:end]...)
		rest = rest[end+1:]
		if err := l.flush("\n"); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

func (l *logWriter) flush(end string) error {
	line := bytes.TrimSuffix(l.line, []byte("\r"))
	if l.names != nil {
		line = []byte(l.names.Replace(string(line)))
	}
	if l.color {
		line = paint(line)
	}
	_, err := l.w.Write(append(line, end...))
	l.line = l.line[:0]
	return err
}

// Close writes what is left.
func (l *logWriter) Close() error {
	if len(l.line) == 0 {
		return nil
	}
	return l.flush("\n")
}

// paint returns a line in colours.
func paint(line []byte) []byte {
	stamp := own.Find(line)
	if stamp == nil {
		return line
	}
	said := line[len(stamp):]
	color := ""
	switch lower := bytes.ToLower(said); {
	case bytes.Contains(lower, []byte("failed")) || bytes.Contains(lower, []byte("error")):
		color = red
	case bytes.Contains(lower, []byte("success")):
		color = green
	}
	out := append([]byte(dim), stamp...)
	out = append(append(out, reset...), color...)
	out = append(out, said...)
	if color != "" {
		out = append(out, reset...)
	}
	return out
}
