package blobs

import (
	"errors"
	"fmt"
	"syscall"
)

// maxLate is how many bytes of a log wait in memory while the disk is full.
const maxLate = 4 << 20

// lateBytes are those of a log that wait for room on the disk.
type lateBytes struct {
	text []byte
	lost int // bytes that came after text and did not fit
}

// hold keeps p, and reports false if it is lost instead.
func (l *lateBytes) hold(p []byte) bool {
	if l.lost > 0 || len(l.text)+len(p) > maxLate {
		l.lost += len(p)
		return false
	}
	l.text = append(l.text, p...)
	return true
}

// next returns what is to be written first: what is held, and then what is to
// be said of what is lost.
func (l *lateBytes) next() []byte {
	if len(l.text) == 0 && l.lost > 0 {
		l.text = fmt.Appendf(nil, "\r\n(the disk of the server was full: %d bytes of this log are missing)\r\n", l.lost)
		l.lost = 0
	}
	return l.text
}

// done drops the first n bytes of next, which were written.
func (l *lateBytes) done(n int) {
	if l.text = l.text[n:]; len(l.text) == 0 {
		l.text = nil
	}
}

func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
