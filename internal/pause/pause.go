// Package pause says how long others are left alone: those that fail again and
// again, and those that ask for it.
package pause

import "time"

// Growing returns how long to wait after so many failures in a row, from the
// first on: a time that doubles with each, up to a limit, and is up to a quarter
// longer by chance. Random is from 0 to 1.
func Growing(failures int, first, limit time.Duration, random float64) time.Duration {
	d := first
	for i := 1; i < failures && d < limit; i++ {
		d *= 2
	}
	d = min(d, limit)
	return d + time.Duration(random*float64(d)/4)
}
