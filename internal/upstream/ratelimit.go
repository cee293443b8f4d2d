package upstream

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryAfter returns how long a registry that refuses for too many requests
// wants to be left alone; 0 if it doesn't say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After", "X-Retry-After"} {
		if d, ok := moment(h.Get(name), now); ok {
			return d
		}
	}
	return reset(h, now)
}

// exhausted returns how long a registry is left alone that has answered and says
// that this was the last time for now; 0 for not at all.
func exhausted(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"RateLimit-Remaining", "X-RateLimit-Remaining"} {
		remaining, window, ok := quota(h.Get(name))
		if !ok {
			continue
		}
		if remaining > 0 {
			return 0
		}
		if d := reset(h, now); d > 0 {
			return d
		}
		// The window rolls: a part of it will be free again before all of it is.
		return min(max(window/10, firstLimit), longestLimit)
	}
	return 0
}

// reset returns when a quota is fresh again, if that is said: in seconds from now
// or since 1970, under one of the usual names.
func reset(h http.Header, now time.Time) time.Duration {
	for _, name := range []string{"RateLimit-Reset", "X-RateLimit-Reset"} {
		if d, ok := moment(h.Get(name), now); ok {
			return d
		}
	}
	return 0
}

// quota reads "76;w=21600": what is left, and the window in seconds.
func quota(text string) (remaining int, window time.Duration, ok bool) {
	number, rest, _ := strings.Cut(text, ";")
	remaining, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		return 0, 0, false
	}
	for part := range strings.SplitSeq(rest, ";") {
		if value, found := strings.CutPrefix(strings.TrimSpace(part), "w="); found {
			seconds, err := strconv.ParseInt(value, 10, 32)
			if err == nil && seconds > 0 {
				window = time.Duration(seconds) * time.Second
			}
		}
	}
	return remaining, window, true
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
			left = time.Duration(min(seconds, longestTold.Seconds()) * float64(time.Second))
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
	return min(max(left, time.Second), longestTold), true
}
