package pause_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/drydockhq/drydock/internal/pause"
)

func TestGrowing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		failures int
		random   float64
		want     time.Duration
	}{
		{0, 0, 10 * time.Second},
		{1, 0, 10 * time.Second},
		{1, 1, 12500 * time.Millisecond},
		{2, 0, 20 * time.Second},
		{5, 0.5, 180 * time.Second},
		{9, 0, 2560 * time.Second},
		{10, 0, time.Hour},
		{1 << 40, 1, 75 * time.Minute},
	} {
		if got := pause.Growing(c.failures, 10*time.Second, time.Hour, c.random); got != c.want {
			t.Errorf("after %d failures: %s, want %s", c.failures, got, c.want)
		}
	}
	if got := pause.Growing(1, time.Hour, time.Minute, 0); got != time.Minute {
		t.Errorf("a first pause beyond the limit: %s", got)
	}
}

func TestAsked(t *testing.T) {
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
		{"Retry-After", "99999999", pause.Longest},
		{"Retry-After", "soon", 0},
		{"Retry-After", "-1", 0},
		{"Retry-After", "NaN", 0},
		{"X-Retry-After", "1772600827", time.Minute},
		{"Ratelimit-Reset", "30", 30 * time.Second},
		{"Ratelimit-Reset", "30;w=60", 30 * time.Second},
		{"X-Ratelimit-Reset", "1772604367", time.Hour},
		{"X-Other", "30", 0},
	} {
		if got := pause.Asked(http.Header{c.name: {c.value}}, now); got != c.want {
			t.Errorf("%s: %s: %s, want %s", c.name, c.value, got, c.want)
		}
	}
}

func FuzzAsked(f *testing.F) {
	for _, v := range []string{"120", "30;w=60", "Wed, 04 Mar 2026 05:07:07 GMT", "1772600827", "NaN", "-1", "1e300"} {
		f.Add(v, v)
	}
	now := time.Unix(1772600000, 0)
	f.Fuzz(func(t *testing.T, after, reset string) {
		if d := pause.Asked(http.Header{"Retry-After": {after}, "Ratelimit-Reset": {reset}}, now); d < 0 || d > pause.Longest {
			t.Fatalf("%q, %q: %s", after, reset, d)
		}
	})
}
