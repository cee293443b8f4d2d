package vault

import (
	"net/netip"
	"sync"
	"time"
)

// How much of those without a token is recorded in a minute, so that they can't
// fill the disk.
const (
	mostOfStranger  = 30 // of one address
	mostOfStrangers = 300
)

// What the record of the first request says that is beyond one of these.
const (
	moreOfStranger  = "MoreOfAddressLeftOut"
	moreOfStrangers = "MoreLeftOut"
)

// ownedBits is how much of an IPv6 address is a network's: whoever has one address
// of it has all.
const ownedBits = 64

// strangers counts those without a token. Its methods may be called from several
// goroutines.
type strangers struct {
	now func() time.Time

	mu     sync.Mutex
	minute time.Time      // that is counted
	all    int            // one more than the most when that is recorded
	from   map[string]int // by network, as all
}

// ignored reports whether nothing of an address is recorded any more in this
// minute, nor that there is more of it.
func (s *strangers) ignored(from string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
	return s.all > mostOfStrangers || s.from[networkOf(from)] > mostOfStranger
}

// count reports whether one more request from an address is recorded, and what its
// record says of those that follow; empty for nothing.
func (s *strangers) count(from string) (more string, recorded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn()
	from = networkOf(from)
	switch n := s.from[from]; {
	case n > mostOfStranger || s.all > mostOfStrangers:
		return "", false
	case n == mostOfStranger:
		s.from[from]++
		return moreOfStranger, true
	case s.all == mostOfStrangers:
		s.all++
		return moreOfStrangers, true
	}
	s.all++
	s.from[from]++
	return "", true
}

// turn begins anew in each minute.
func (s *strangers) turn() {
	if now := s.now().Truncate(time.Minute); !now.Equal(s.minute) {
		s.minute, s.all, s.from = now, 0, map[string]int{}
	}
}

// networkOf returns what is counted as one address. It is from itself for what is
// none, such as a run.
func networkOf(from string) string {
	ip, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, ownedBits).Masked().String()
}
