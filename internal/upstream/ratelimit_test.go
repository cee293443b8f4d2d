package upstream_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/pause"
	"github.com/drydockhq/drydock/internal/upstream"
)

func FuzzRateLimits(f *testing.F) {
	for _, v := range []string{"0;w=21600", "76;w=21600", "120", "Wed, 04 Mar 2026 05:07:07 GMT", "1772600827", "NaN", "-1", "1e300"} {
		f.Add(v, v)
	}
	now := time.Unix(1772600000, 0)
	f.Fuzz(func(t *testing.T, after, remaining string) {
		for _, d := range []time.Duration{
			upstream.Exhausted(http.Header{"Ratelimit-Remaining": {remaining}, "X-Ratelimit-Reset": {after}}, now),
		} {
			if d < 0 || d > pause.Longest {
				t.Fatalf("%q, %q: %s", after, remaining, d)
			}
		}
	})
}
