package trigger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/trigger"
)

const layout = "Mon 2006-01-02 15:04:05"

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// The occurrences after 2026-02-27 23:58:30, a Friday.
func TestNext(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"* * * * *":             "Fri 2026-02-27 23:59:00, Sat 2026-02-28 00:00:00, Sat 2026-02-28 00:01:00",
		"*/20 * * * *":          "Sat 2026-02-28 00:00:00, Sat 2026-02-28 00:20:00, Sat 2026-02-28 00:40:00",
		"58 23 * * *":           "Sat 2026-02-28 23:58:00, Sun 2026-03-01 23:58:00, Mon 2026-03-02 23:58:00",
		"50/4 23 * * *":         "Sat 2026-02-28 23:50:00, Sat 2026-02-28 23:54:00, Sat 2026-02-28 23:58:00",
		"0 9-17/4 * * Mon-Fri":  "Mon 2026-03-02 09:00:00, Mon 2026-03-02 13:00:00, Mon 2026-03-02 17:00:00",
		"0 0 * * sun,WEDNESDAY": "Sun 2026-03-01 00:00:00, Wed 2026-03-04 00:00:00, Sun 2026-03-08 00:00:00",
		"0 0 31 * *":            "Tue 2026-03-31 00:00:00, Sun 2026-05-31 00:00:00, Fri 2026-07-31 00:00:00",
		"30 6 1 Jan,Jul *":      "Wed 2026-07-01 06:30:00, Fri 2027-01-01 06:30:00, Thu 2027-07-01 06:30:00",
		// Both days must match, unlike in Vixie's cron.
		"0 0 13 * Fri":   "Fri 2026-03-13 00:00:00, Fri 2026-11-13 00:00:00, Fri 2027-08-13 00:00:00",
		"0 12 29 2 *":    "Tue 2028-02-29 12:00:00, Sun 2032-02-29 12:00:00, Fri 2036-02-29 12:00:00",
		"0 12 29 Feb 0":  "Sun 2032-02-29 12:00:00, Sun 2060-02-29 12:00:00, Sun 2088-02-29 12:00:00",
		"0 0 30 2,4 *":   "Thu 2026-04-30 00:00:00, Fri 2027-04-30 00:00:00, Sun 2028-04-30 00:00:00",
		"0 0 1-7/6 M 0":  "",
		"5,5,5 0 * * 6":  "Sat 2026-02-28 00:05:00, Sat 2026-03-07 00:05:00, Sat 2026-03-14 00:05:00",
		"59/90 23 * * 6": "Sat 2026-02-28 23:59:00, Sat 2026-03-07 23:59:00, Sat 2026-03-14 23:59:00",
	} {
		s, err := trigger.ParseSchedule(expression)
		if want == "" {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Errorf("%s: %v", expression, err)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		var got []string
		next := at(t, "2026-02-27 23:58:30")
		for range 3 {
			next = s.Next(next)
			got = append(got, next.Format(layout))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s:\ngot  %s\nwant %s", expression, strings.Join(got, ", "), want)
		}
	}
}

// A century that is no leap year makes the longest pause that there is.
func TestNextAfterFortyYears(t *testing.T) {
	t.Parallel()
	s, err := trigger.ParseSchedule("0 0 29 2 Thu")
	if err != nil {
		t.Fatal(err)
	}
	first := s.Next(at(t, "2080-01-01 00:00:00"))
	second := s.Next(first)
	if got := first.Format(layout) + ", " + second.Format(layout); got != "Thu 2080-02-29 00:00:00, Thu 2120-02-29 00:00:00" {
		t.Error(got)
	}
}

func TestNextIsInUTC(t *testing.T) {
	t.Parallel()
	s, err := trigger.ParseSchedule("0 3 * * *")
	if err != nil {
		t.Fatal(err)
	}
	got := s.Next(time.Date(2026, 3, 4, 1, 0, 0, 0, time.FixedZone("", -3600)))
	if want := at(t, "2026-03-04 03:00:00"); !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		expression, after, until, newest string
		count                            int
	}{
		{"* * * * *", "2026-03-04 05:06:00", "2026-03-04 05:06:59", "", 0},
		{"* * * * *", "2026-03-04 05:06:59", "2026-03-04 05:07:00", "2026-03-04 05:07:00", 1},
		{"* * * * *", "2026-03-04 05:06:00", "2027-03-04 05:06:00", "2027-03-04 05:06:00", 365 * 24 * 60},
		{"0 3 * * *", "2026-03-04 03:00:00", "2026-03-08 02:59:00", "2026-03-07 03:00:00", 3},
		{"30 22 * * *", "2026-03-04 00:00:00", "2026-03-08 22:15:00", "2026-03-07 22:30:00", 4},
		{"15,45 0,12 1 * *", "2026-03-01 00:20:00", "2026-04-01 12:20:00", "2026-04-01 12:15:00", 6},
		{"30 */12 * * *", "2026-03-04 00:00:00", "2026-03-04 12:10:00", "2026-03-04 00:30:00", 1},
		{"0 0 * * *", "2026-03-04 00:00:00", "2026-03-03 00:00:00", "", 0}, // the clock went back
		{"* * * * *", "2026-03-04 05:06:00", "2026-03-04 04:06:00", "", 0},
	} {
		s, err := trigger.ParseSchedule(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		newest, count := s.Between(at(t, c.after), at(t, c.until))
		got := ""
		if !newest.IsZero() {
			got = newest.Format("2006-01-02 15:04:05")
		}
		if got != c.newest || count != c.count {
			t.Errorf("%s from %s to %s: %q and %d, want %q and %d", c.expression, c.after, c.until, got, count, c.newest, c.count)
		}
	}
}

func TestWrongSchedules(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                             "it has 0 fields",
		"* * * *":                      "it has 4 fields",
		"0 * * * * *":                  "it has 6 fields",
		"60 * * * *":                   `minute "60": "60" is not from 0 to 59`,
		"* 24 * * *":                   `hour "24"`,
		"* * 0 * *":                    `day of month "0": "0" is not from 1 to 31`,
		"* * * 13 *":                   `month "13"`,
		"* * * * 7":                    `day of week "7": "7" is not from 0 to 6`,
		"*/0 * * * *":                  `"0" is no step`,
		"*/ * * * *":                   `"" is no step`,
		"*/-1 * * * *":                 `"-1" is no step`,
		"*/+1 * * * *":                 `"+1" is no step`,
		"*/1/2 * * * *":                `"1/2" is no step`,
		"1, * * * *":                   `"" is no minute`,
		"1- * * * *":                   `"" is no minute`,
		"-1 * * * *":                   `"" is no minute`,
		"1-2-3 * * * *":                `"2-3" is not from 0 to 59`,
		"Mon * * * *":                  `"Mon" is no minute`,
		"? * * * *":                    `"?" is no minute`,
		"@daily":                       "it has 1 fields",
		"* * * * Mo,T":                 `"T" is the beginning of several names`,
		"* * * J *":                    `"J" is the beginning of several names`,
		"* * * * Fri-Mon":              `write it as two, "Fri-6,0-Mon"`,
		"* 22-2 * * *":                 `write it as two, "22-23,0-2"`,
		"0 0 30 2 *":                   "none of its months has such a day",
		"0 0 31 2,4,6 Mon":             "none of its months has such a day",
		"99999999999999999999 * * * *": "is not from 0 to 59",
	} {
		_, err := trigger.ParseSchedule(expression)
		if err == nil || !strings.Contains(err.Error(), want) || drydock.CodeOf(err) != drydock.Invalid {
			t.Errorf("%q: %v, want %s", expression, err, want)
		}
	}
}

// FuzzSchedule checks each schedule that can be read against a walk over the
// minutes.
func FuzzSchedule(f *testing.F) {
	for _, expression := range []string{"*/7 3-5,9 1,15-20/2 jan-mar *", "0 0 29 2 1", "59/90 23 31 * sat"} {
		f.Add(expression, int64(1770000000), uint16(3000))
	}
	f.Fuzz(func(t *testing.T, expression string, seconds int64, minutes uint16) {
		s, err := trigger.ParseSchedule(expression)
		if err != nil {
			if drydock.CodeOf(err) != drydock.Invalid {
				t.Fatal(err)
			}
			return
		}
		after := time.Unix(seconds%(1<<32), 0).UTC()
		until := after.Add(time.Duration(minutes) * time.Minute)
		next := s.Next(after)
		if !next.After(after) {
			t.Fatalf("%q after %s is due at %s", expression, after, next)
		}
		newest, count := s.Between(after, until)
		var last time.Time
		n := 0
		for ; !next.IsZero() && !next.After(until); next = s.Next(next) {
			last = next
			n++
		}
		if n != count || !last.Equal(newest) {
			t.Fatalf("%q from %s to %s: %d, the last at %s; and in one step %d, %s", expression, after, until, n, last, count, newest)
		}
	})
}
