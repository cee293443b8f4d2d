package logs

import (
	"bytes"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxPiece is the length from which a line is written in pieces.
	maxPiece = 64 << 10
	// idle is how long a part of a line waits for the rest of it.
	idle = 100 * time.Millisecond
)

// lines cuts a step's output into lines, after masking, and passes them on.
type lines struct {
	log          *Log
	step, stream string

	mu     sync.Mutex
	masked *Writer
	part   []byte // of a line
	open   bool   // an earlier part of the line is passed on already
	timer  *time.Timer
	closed bool
}

// lineSink is where the masked output of a stream arrives, with mu held.
type lineSink struct{ *lines }

func (s lineSink) Write(p []byte) (int, error) {
	s.add(p)
	return len(p), nil
}

// Write implements io.Writer. It always takes all of p.
func (s *lines) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return len(p), nil
	}
	_, _ = s.masked.Write(p) // lineSink fails no write
	s.schedule()
	return len(p), nil
}

// Close implements io.Closer.
func (s *lines) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	_ = s.masked.Close()
	if len(s.part) > 0 || s.open {
		s.emit(s.part, true)
	}
	return nil
}

// add passes on whole lines and keeps the rest.
func (s *lines) add(p []byte) {
	for {
		n := bytes.IndexByte(p, '\n')
		if n < 0 {
			break
		}
		line := p[:n]
		if len(s.part) > 0 {
			line = append(s.part, line...)
		}
		s.emit(line, true)
		s.part, p = s.part[:0], p[n+1:]
	}
	s.part = append(s.part, p...)
	if len(s.part) >= maxPiece {
		s.emitPart()
	}
}

// schedule has the part of a line that is there passed on in a moment.
func (s *lines) schedule() {
	switch {
	case len(s.part) == 0:
		if s.timer != nil {
			s.timer.Stop()
		}
	case s.timer == nil:
		s.timer = time.AfterFunc(idle, s.expire)
	default:
		s.timer.Reset(idle)
	}
}

func (s *lines) expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && len(s.part) > 0 {
		s.emitPart()
	}
}

// emitPart passes on the part of a line that is there, but for a character
// that is still incomplete.
func (s *lines) emitPart() {
	n := len(s.part) - incomplete(s.part)
	if n > 0 {
		s.emit(s.part[:n], false)
		s.part = append(s.part[:0], s.part[n:]...)
	}
}

func (s *lines) emit(text []byte, end bool) {
	s.open = !end
	s.log.output(s.step, s.stream, text, end)
}

// incomplete returns the length of the beginning of a UTF-8 character at the
// end of p.
func incomplete(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if c := p[len(p)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}
