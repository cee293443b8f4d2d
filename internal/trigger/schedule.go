package trigger

import (
	"math/bits"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Schedule is when a timer is due, in UTC, to the minute. The zero one is never
// due.
type Schedule struct {
	minutes, hours, days, months, weekdays set
}

// set are the values of a field, a bit each.
type set uint64

func (s set) has(value int) bool { return s>>value&1 != 0 }

// count returns how many values there are from the first up to one.
func (s set) count(upTo int) int { return bits.OnesCount64(uint64(s & (1<<(upTo+1) - 1))) }

// next returns the first value from one on, and whether there is any.
func (s set) next(from int) (int, bool) {
	rest := uint64(s) >> from << from
	return bits.TrailingZeros64(rest), rest != 0
}

// last returns the last value up to one, and whether there is any.
func (s set) last(upTo int) (int, bool) {
	rest := uint64(s & (1<<(upTo+1) - 1))
	return bits.Len64(rest) - 1, rest != 0
}

// horizon is within what every schedule that is possible at all is due: the
// longest time between two 29ths of February on the same weekday is 40 years.
const horizon = 41

// ParseSchedule reads an expression of NCronTab: minute, hour, day of month,
// month and day of week, each a list of values, ranges and steps. Both days must
// match. An expression that is wrong, or that no date matches, is an error with
// code Invalid.
func ParseSchedule(expression string) (Schedule, error) {
	parts := strings.Fields(expression)
	if len(parts) != len(fields) {
		return Schedule{}, invalid(expression, "it has %d fields, not the five minute, hour, day of month, month and day of week", len(parts))
	}
	var sets [len(fields)]set
	for i, f := range fields {
		var err error
		if sets[i], err = f.parse(parts[i]); err != nil {
			return Schedule{}, invalid(expression, "%w", err)
		}
	}
	s := Schedule{minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], weekdays: sets[4]}
	if !s.possible() {
		return Schedule{}, invalid(expression, "none of its months has such a day")
	}
	return s, nil
}

func invalid(expression, format string, args ...any) error {
	if runes := []rune(expression); len(runes) > 100 {
		expression = string(runes[:100]) + "…"
	}
	return drydock.Errorf(drydock.Invalid, "the schedule %q is invalid: "+format, append([]any{expression}, args...)...)
}

// possible reports whether one of the months has one of the days. Each date
// falls on each weekday sooner or later.
func (s Schedule) possible() bool {
	first, _ := s.days.next(1)
	for month := 1; month <= 12; month++ {
		// 2000 is a leap year.
		if s.months.has(month) && first <= time.Date(2000, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
			return true
		}
	}
	return false
}

// on reports whether the schedule is due on a day.
func (s Schedule) on(day time.Time) bool {
	return s.months.has(int(day.Month())) && s.days.has(day.Day()) && s.weekdays.has(int(day.Weekday()))
}

// Next returns the first occurrence after a time, zero if there is none.
func (s Schedule) Next(after time.Time) time.Time {
	t := after.UTC().Truncate(time.Minute).Add(time.Minute)
	day := midnight(t)
	end := day.AddDate(horizon, 0, 0)
	for hour, minute := t.Hour(), t.Minute(); !day.After(end); hour, minute = 0, 0 {
		if !s.months.has(int(day.Month())) {
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if s.on(day) {
			if h, m, ok := s.nextTime(hour, minute); ok {
				return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

// nextTime returns the first time of a day that is not before one.
func (s Schedule) nextTime(hour, minute int) (h, m int, ok bool) {
	if h, ok = s.hours.next(hour); !ok {
		return 0, 0, false
	}
	if h == hour {
		if m, ok = s.minutes.next(minute); ok {
			return h, m, true
		}
		if h, ok = s.hours.next(hour + 1); !ok {
			return 0, 0, false
		}
	}
	m, ok = s.minutes.next(0)
	return h, m, ok
}

// Between returns the newest occurrence that is after one time and not after
// another, zero if there is none, and how many there are.
func (s Schedule) Between(after, until time.Time) (newest time.Time, count int) {
	after, until = after.UTC(), until.UTC()
	first := midnight(after)
	for day := midnight(until); !day.Before(first); day = day.AddDate(0, 0, -1) {
		if !s.on(day) {
			continue
		}
		hour, minute := 23, 59
		if day.Equal(midnight(until)) {
			hour, minute = until.Hour(), until.Minute()
		}
		n := s.upTo(hour, minute)
		if day.Equal(first) {
			n -= s.upTo(after.Hour(), after.Minute())
		}
		if n > 0 && newest.IsZero() {
			newest = s.lastTime(day, hour, minute)
		}
		count += max(n, 0)
	}
	return newest, count
}

// upTo returns how many times of a day are not after one.
func (s Schedule) upTo(hour, minute int) int {
	n := 0
	if hour > 0 {
		n = s.hours.count(hour-1) * s.minutes.count(59)
	}
	if s.hours.has(hour) {
		n += s.minutes.count(minute)
	}
	return n
}

// lastTime returns the last occurrence on a day that is not after a time of it;
// there must be one.
func (s Schedule) lastTime(day time.Time, hour, minute int) time.Time {
	h, _ := s.hours.last(hour)
	upTo := 59
	if h == hour {
		upTo = minute
	}
	m, ok := s.minutes.last(upTo)
	if !ok { // the hour has none yet
		h, _ = s.hours.last(hour - 1)
		m, _ = s.minutes.last(59)
	}
	return day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute)
}
