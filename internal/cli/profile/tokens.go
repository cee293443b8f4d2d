package profile

import (
	"encoding/json"
	"time"
)

// Token is a token for one resource.
type Token struct {
	Text    string    `json:"token"`
	Expires time.Time `json:"expires"`
}

// Token returns a token that was kept under a key, if it is good for a while
// after now.
func (s Store) Token(key string, now time.Time) (Token, bool) {
	tokens := s.tokens()
	t, ok := tokens[key]
	return t, ok && t.Expires.After(now.Add(tokenReserve))
}

// tokenReserve is for how long a token has to be good to be used.
const tokenReserve = 2 * time.Minute

// KeepToken keeps a token under a key, and forgets those that have expired. Of
// two commands that do it at once one may be lost: it is asked for again.
func (s Store) KeepToken(key string, t Token, now time.Time) error {
	tokens := s.tokens()
	for key, old := range tokens {
		if old.Expires.Before(now) {
			delete(tokens, key)
		}
	}
	tokens[key] = t
	return s.write(tokensFile, tokens)
}

// DropTokens forgets all tokens.
func (s Store) DropTokens() error { return s.write(tokensFile, map[string]Token{}) }

// tokens returns what is kept. A file that can't be read is a cache that is
// empty.
func (s Store) tokens() map[string]Token {
	var raw json.RawMessage
	tokens := map[string]Token{}
	if s.read(tokensFile, &raw) != nil || json.Unmarshal(raw, &tokens) != nil || tokens == nil {
		return map[string]Token{}
	}
	return tokens
}
