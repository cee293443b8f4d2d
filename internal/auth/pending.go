package auth

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"time"
)

// pendingPerAddress bounds what one address can have begun, pendingAtAll what all
// together can: everybody may begin.
const (
	pendingPerAddress = 50
	pendingAtAll      = 20_000
)

var errTooManyPending = errors.New("too many sign-ins are waiting")

// pending keeps, in memory, what people have begun and not ended: they begin anew
// after a restart. Its methods may be called from several goroutines.
type pending[T any] struct {
	now      func() time.Time
	lifetime time.Duration

	mu    sync.Mutex
	items map[string]*pendingItem[T]
}

type pendingItem[T any] struct {
	value   T
	from    string
	expires time.Time
}

func newPending[T any](now func() time.Time, lifetime time.Duration) *pending[T] {
	return &pending[T]{now: now, lifetime: lifetime, items: map[string]*pendingItem[T]{}}
}

// add keeps a value under a key.
func (p *pending[T]) add(key, from string, value T) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, own := p.now(), 0
	for key, item := range p.items {
		switch {
		case !now.Before(item.expires):
			delete(p.items, key)
		case item.from == from:
			own++
		}
	}
	if own >= pendingPerAddress || len(p.items) >= pendingAtAll {
		return errTooManyPending
	}
	p.items[key] = &pendingItem[T]{value, from, now.Add(p.lifetime)}
	return nil
}

// take returns a value and forgets it.
func (p *pending[T]) take(key string) (T, bool) {
	var value T
	found := p.change(key, func(v *T) bool {
		value = *v
		return false
	})
	return value, found
}

// change lets f change a value, and forgets it if f returns false. It reports
// whether there was one.
func (p *pending[T]) change(key string, f func(*T) bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	item, there := p.items[key]
	if !there || !p.now().Before(item.expires) {
		delete(p.items, key)
		return false
	}
	if !f(&item.value) {
		delete(p.items, key)
	}
	return true
}

// codeLetters are those of RFC 8628 §6.1: no vowels, so that no words come out.
const codeLetters = "BCDFGHJKLMNPQRSTVWXZ"

// newUserCode returns a code that people type, as "WDJB-MJHT".
func newUserCode() string {
	code := make([]byte, 0, 9)
	for random := make([]byte, 1); len(code) < 9; {
		if len(code) == 4 {
			code = append(code, '-')
		}
		rand.Read(random)                 // never fails
		if n := int(random[0]); n < 240 { // 240 is a multiple of 20
			code = append(code, codeLetters[n%len(codeLetters)])
		}
	}
	return string(code)
}

// normalUserCode returns a code as newUserCode made it, however it was typed.
func normalUserCode(text string) string {
	var letters []rune
	for _, r := range strings.ToUpper(text) {
		if strings.ContainsRune(codeLetters, r) {
			letters = append(letters, r)
		}
	}
	if len(letters) != 8 {
		return ""
	}
	return string(letters[:4]) + "-" + string(letters[4:])
}
