package upstream

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock/internal/pause"
)

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
		if d := pause.Reset(h, now); d > 0 {
			return d
		}
		// The window rolls: a part of it will be free again before all of it is.
		return min(max(window/10, firstLimit), longestLimit)
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
