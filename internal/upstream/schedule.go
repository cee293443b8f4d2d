package upstream

import (
	"container/heap"
	"time"
)

// entry is something that happens at a time: an image is due, or the pause of a
// host is over.
type entry struct {
	at    time.Duration // since the watcher was made
	index int           // in the schedule; -1 when it is not in it
	image *image
	host  *host
}

// schedule is a heap of entries by their times.
type schedule []*entry

var _ heap.Interface = (*schedule)(nil)

// Len implements heap.Interface.
func (s schedule) Len() int { return len(s) }

// Less implements heap.Interface.
func (s schedule) Less(i, j int) bool { return s[i].at < s[j].at }

// Swap implements heap.Interface.
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}

// Push implements heap.Interface.
func (s *schedule) Push(x any) {
	e := x.(*entry)
	e.index = len(*s)
	*s = append(*s, e)
}

// Pop implements heap.Interface.
func (s *schedule) Pop() any {
	old := *s
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	e.index = -1
	return e
}

// put puts an entry at its place, whether it is in the schedule or not.
func (s *schedule) put(e *entry) {
	if e.index >= 0 {
		heap.Fix(s, e.index)
		return
	}
	heap.Push(s, e)
}

// remove takes an entry out, if it is in.
func (s *schedule) remove(e *entry) {
	if e.index >= 0 {
		heap.Remove(s, e.index)
	}
}

// next takes the first entry out that is due.
func (s *schedule) next(now time.Duration) *entry {
	if len(*s) == 0 || (*s)[0].at > now {
		return nil
	}
	return heap.Pop(s).(*entry)
}
