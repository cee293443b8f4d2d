package pause

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Longest is the longest pause that anybody can ask for.
const Longest = 24 * time.Hour

// Asked returns how long a server that refuses a request wants to be left alone,
// by the header of its answer: at least a second, or 0 if it doesn't say.
func Asked(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After", "X-Retry-After"} {
		if d, ok := moment(h.Get(name), now); ok {
			return d
		}
	}
	return Reset(h, now)
}

// Reset returns how long it takes until the quota of who asks is fresh again, in
// the form of Asked.
func Reset(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"RateLimit-Reset", "X-RateLimit-Reset"} {
		if d, ok := moment(h.Get(name), now); ok {
			return d
		}
	}
	return 0
}

// fromEpoch is the number above which seconds are counted since 1970.
const fromEpoch = 1_000_000_000

// moment reads seconds from now, seconds since 1970, or a date of HTTP's, as the
// time that is left until then.
func moment(text string, now time.Time) (time.Duration, bool) {
	text, _, _ = strings.Cut(strings.TrimSpace(text), ";")
	if text == "" {
		return 0, false
	}
	left := time.Duration(0)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		switch {
		case seconds >= 0 && seconds < fromEpoch:
			left = time.Duration(min(seconds, Longest.Seconds()) * float64(time.Second))
		case seconds >= fromEpoch && seconds < 100*fromEpoch:
			left = time.Unix(int64(seconds), 0).Sub(now)
		default:
			return 0, false
		}
	} else if at, err := http.ParseTime(text); err == nil {
		left = at.Sub(now)
	} else {
		return 0, false
	}
	// One that has passed already, by whatever clock, still asks for a pause.
	return min(max(left, time.Second), Longest), true
}
