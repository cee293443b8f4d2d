package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
)

// mostKnownSecrets bounds how many secrets are known to match.
const mostKnownSecrets = 1000

// knownSecrets remembers which secrets have matched which hashes: to stretch one
// takes some 50 ms, and registry clients present theirs again with each pull.
// What is remembered is of no use without the key, which this process alone has,
// nor once the hash is not the stored one any more.
type knownSecrets struct {
	key  []byte
	mu   *sync.Mutex
	tags map[[sha256.Size]byte]struct{}
}

func newKnownSecrets() knownSecrets {
	key := make([]byte, sha256.Size)
	rand.Read(key) // never fails
	return knownSecrets{key: key, mu: &sync.Mutex{}, tags: map[[sha256.Size]byte]struct{}{}}
}

func (k knownSecrets) tag(hash, secret string) [sha256.Size]byte {
	mac := hmac.New(sha256.New, k.key)
	mac.Write([]byte(hash)) // has no zero byte
	mac.Write([]byte{0})
	mac.Write([]byte(secret))
	return [sha256.Size]byte(mac.Sum(nil))
}

func (k knownSecrets) has(hash, secret string) bool {
	tag := k.tag(hash, secret)
	k.mu.Lock()
	defer k.mu.Unlock()
	_, ok := k.tags[tag]
	return ok
}

func (k knownSecrets) add(hash, secret string) {
	tag := k.tag(hash, secret)
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.tags) >= mostKnownSecrets {
		for old := range k.tags { // any one
			delete(k.tags, old)
			break
		}
	}
	k.tags[tag] = struct{}{}
}
