package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a hash, as OWASP's cheat sheet has it for Argon2id. It is written
// into each hash, so that a change leaves older ones valid.
const (
	hashMemory  = 19 << 10 // KiB
	hashTime    = 2
	hashThreads = 1
	hashSize    = 32
	saltSize    = 16
)

// A hash in a store can't ask for more than this, whoever wrote it.
const (
	maxHashMemory = 256 << 10
	maxHashTime   = 16
)

// NewSecret returns a random secret of 40 letters, digits, "-" and "_". It
// never begins with "-", which programs would take for a flag.
func NewSecret() string {
	raw := make([]byte, 30)
	for {
		rand.Read(raw) // never fails
		if s := base64.RawURLEncoding.EncodeToString(raw); s[0] != '-' {
			return s
		}
	}
}

// Hasher stretches secrets. It bounds how many are stretched at a time, since
// each takes 19 MiB. It may be used by several goroutines.
type Hasher struct {
	slots chan struct{}
	known knownSecrets
}

// NewHasher returns a Hasher that uses as many processors as there are.
func NewHasher() *Hasher {
	return &Hasher{slots: make(chan struct{}, runtime.GOMAXPROCS(0)), known: newKnownSecrets()}
}

// Hash returns a salted hash in the PHC string format.
func (h *Hasher) Hash(ctx context.Context, secret string) (string, error) {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	key, err := h.key(ctx, secret, hashCost{hashMemory, hashTime, hashThreads}, salt, hashSize)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		hashMemory, hashTime, hashThreads, enc.EncodeToString(salt), enc.EncodeToString(key)), nil
}

// Matches reports whether hash is one of secret. A hash that can't be read is
// an error.
func (h *Hasher) Matches(ctx context.Context, hash, secret string) (bool, error) {
	if h.known.has(hash, secret) {
		return true, nil
	}
	cost, salt, want, err := parseHash(hash)
	if err != nil {
		return false, err
	}
	got, err := h.key(ctx, secret, cost, salt, uint32(len(want)))
	if err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return false, nil
	}
	h.known.add(hash, secret)
	return true, nil
}

func (h *Hasher) key(ctx context.Context, secret string, c hashCost, salt []byte, size uint32) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to check a secret: %w", context.Cause(ctx))
	}
	return argon2.IDKey([]byte(secret), salt, c.time, c.memory, c.threads, size), nil
}

type hashCost struct {
	memory  uint32
	time    uint32
	threads uint8
}

func parseHash(hash string) (hashCost, []byte, []byte, error) {
	bad := fmt.Errorf("a stored secret has a hash of an unknown format")
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return hashCost{}, nil, nil, bad
	}
	var c hashCost
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.threads); err != nil {
		return hashCost{}, nil, nil, bad
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return hashCost{}, nil, nil, bad
	}
	key, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(key) < 16 || len(key) > 64 || c.time < 1 || c.threads < 1 ||
		c.memory > maxHashMemory || c.time > maxHashTime {
		return hashCost{}, nil, nil, bad
	}
	return c, salt, key, nil
}
