package upstream_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/upstream"
)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "120", 2 * time.Minute},
		{"Retry-After", "0", time.Second},
		{"Retry-After", "1.5", 1500 * time.Millisecond},
		{"Retry-After", "Wed, 04 Mar 2026 05:07:07 GMT", time.Minute},
		{"Retry-After", "Wed, 04 Mar 2026 05:00:00 GMT", time.Second}, // a clock is wrong
		{"Retry-After", "99999999", upstream.LongestTold},
		{"Retry-After", "soon", 0},
		{"Retry-After", "-1", 0},
		{"Retry-After", "NaN", 0},
		{"X-Retry-After", "1772600827", time.Minute},
		{"Ratelimit-Reset", "30", 30 * time.Second},
		{"Ratelimit-Reset", "30;w=60", 30 * time.Second},
		{"X-Ratelimit-Reset", "1772604367", time.Hour},
		{"X-Other", "30", 0},
	} {
		if got := upstream.RetryAfter(http.Header{c.name: {c.value}}, now); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func FuzzRateLimits(f *testing.F) {
	for _, v := range []string{"0;w=21600", "76;w=21600", "120", "Wed, 04 Mar 2026 05:07:07 GMT", "1772600827", "NaN", "-1", "1e300"} {
		f.Add(v, v)
	}
	now := time.Unix(1772600000, 0)
	f.Fuzz(func(t *testing.T, after, remaining string) {
		for _, d := range []time.Duration{
			upstream.RetryAfter(http.Header{"Retry-After": {after}, "Ratelimit-Reset": {remaining}}, now),
			upstream.Exhausted(http.Header{"Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {after}}, now),
		} {
			if d < 0 || d > upstream.LongestTold {
				t.Fatalf("%q, %q: %s", after, remaining, d)
			}
		}
	})
}
