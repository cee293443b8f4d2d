package acrcli

import (
	"strconv"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// maxAgo bounds ages, so that they can be counted in nanoseconds.
const maxAgo = 150 * 365 * day

const day = 24 * time.Hour

// parseAgo parses an age: days, a duration as Go writes it, or both, as in
// 2d3h6m. What is above 150 years is 150 years, and capped.
func parseAgo(text string) (ago time.Duration, capped bool, err error) {
	number, rest, hasDays := strings.Cut(text, "d")
	if hasDays {
		days, err := strconv.ParseUint(number, 10, 64)
		switch {
		case isRange(err) || err == nil && days > uint64(maxAgo/day):
			ago, capped = maxAgo, true
		case err != nil:
			return 0, false, invalidAgo(text)
		default:
			ago = time.Duration(days) * day
		}
	} else {
		rest = text
	}
	if rest == "" && hasDays {
		return ago, capped, nil
	}
	more, err := time.ParseDuration(rest)
	switch {
	case err != nil && tooLong(rest):
		return maxAgo, true, nil
	case err != nil || more < 0:
		return 0, false, invalidAgo(text)
	case more > maxAgo-ago:
		return maxAgo, true, nil
	}
	return ago + more, capped, nil
}

func isRange(err error) bool {
	numError, ok := err.(*strconv.NumError)
	return ok && numError.Err == strconv.ErrRange
}

// tooLong reports whether a duration is well written, and only can't be counted.
func tooLong(text string) bool {
	digits := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 1 {
		return false
	}
	_, err := time.ParseDuration("1" + text[digits:])
	return err == nil
}

func invalidAgo(text string) error {
	return drydock.Errorf(drydock.Invalid, "--ago %q is not an age", text).WithHint("for example 7d, 12h or 2d3h6m")
}
