package acrcli

import (
	"testing"
	"time"
)

func TestParseAgo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0d": 0, "0s": 0, "7d": 7 * day, "2d3h6m": 2*day + 3*time.Hour + 6*time.Minute, "10m": 10 * time.Minute,
		"1h15m": 75 * time.Minute, "1d0h": day, "54750d": maxAgo,
	} {
		if got, capped, err := parseAgo(text); err != nil || got != want || capped {
			t.Errorf("%s: %v, %t, %v", text, got, capped, err)
		}
	}
	for _, text := range []string{"54751d", "99999999999999999999d", "54750d1s", "9999999999h", "1d99999999999999999999h"} {
		if got, capped, err := parseAgo(text); err != nil || got != maxAgo || !capped {
			t.Errorf("%s: %v, %t, %v", text, got, capped, err)
		}
	}
	// What is misread deletes what it should not.
	for _, text := range []string{"", "7", "d", "-1d", "-3h", "1d-3h", "7days", "1.5d", "7d 3h", "3h7d", "1w", "7D", "1dd", "+7d", "99999999999999999999"} {
		if got, _, err := parseAgo(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzParseAgo(f *testing.F) {
	for _, seed := range []string{"7d", "2d3h6m", "9999999999h", "-1d", "1d-2h", "d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if ago, _, err := parseAgo(text); err == nil && (ago < 0 || ago > maxAgo) {
			t.Errorf("%q: %v", text, ago)
		}
	})
}
