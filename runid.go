package drydock

import "strings"

// runIDForms are the forms of run ids. The first letter is from a range that
// tells how many digits follow, and longer ids have later letters, so that ids
// sort as their numbers do.
var runIDForms = []runIDForm{
	{'c', 'j', 2},
	{'k', 'q', 3},
	{'r', 'v', 4},
	{'w', 'y', 5},
	{'z', 'z', 12},
}

type runIDForm struct {
	first, last byte
	digits      int
}

const (
	runIDDigits = "0123456789abcdefghijklmnopqrstuvwxyz"
	// runIDSkipped is how many ids there are before "ca1", the first that is used.
	runIDSkipped = 10*36 + 1
)

// count returns how many ids have this form.
func (f runIDForm) count() int64 {
	n := int64(f.last-f.first) + 1
	for range f.digits {
		n *= 36
	}
	return n
}

// RunID returns the id of the run with a number, from 1 to 10^18: a letter and
// some base 36 digits as in ACR's ids, from "ca1" on.
func RunID(number int64) string {
	n := number - 1 + runIDSkipped
	form := runIDForms[0]
	for _, form = range runIDForms {
		if n < form.count() {
			break
		}
		n -= form.count()
	}
	id := make([]byte, 1+form.digits)
	for i := form.digits; i > 0; i-- {
		id[i] = runIDDigits[n%36]
		n /= 36
	}
	id[0] = form.first + byte(n)
	return string(id)
}

// RunNumber returns the number of the run with an id, which is read without
// regard to case, and false for a text that is no run's id.
func RunNumber(id string) (int64, bool) {
	id = strings.ToLower(id)
	var before int64
	for _, form := range runIDForms {
		if len(id) != 1+form.digits {
			before += form.count()
			continue
		}
		if id[0] < form.first || id[0] > form.last {
			return 0, false
		}
		n := int64(id[0] - form.first)
		for i := range form.digits {
			digit := strings.IndexByte(runIDDigits, id[1+i])
			if digit < 0 {
				return 0, false
			}
			n = n*36 + int64(digit)
		}
		n += before - runIDSkipped + 1
		return n, n > 0
	}
	return 0, false
}
