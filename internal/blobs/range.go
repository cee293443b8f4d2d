package blobs

import (
	"net/http"
	"strconv"
	"strings"
)

// span is a part of a blob: from its first byte to the one after its last.
type span struct{ from, to int64 }

// requestedSpan returns the part of a blob of the given size that a request is
// for, and whether it asked for one. x-ms-range is stronger than Range. A form
// that Azure does not know, as the last bytes or several parts, means all.
func requestedSpan(r *http.Request, size int64) (s span, partial bool, err error) {
	all := span{0, size}
	text := r.Header.Get("x-ms-range")
	if text == "" {
		text = r.Header.Get("Range")
	}
	first, last, ok := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
	if !ok || !strings.HasPrefix(text, "bytes=") || first == "" || strings.Contains(text, ",") {
		return all, false, nil
	}
	from, err := strconv.ParseInt(first, 10, 64)
	if err != nil || from < 0 {
		return all, false, badHeader("Range")
	}
	s = span{from, size}
	if last != "" {
		to, err := strconv.ParseInt(last, 10, 64)
		if err != nil || to < from {
			return all, false, badHeader("Range")
		}
		if to < size {
			s.to = to + 1
		}
	}
	if from >= size {
		return all, false, errRange
	}
	return s, true, nil
}
