package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
)

// SealKeySize is the length of a Sealer's key in bytes.
const SealKeySize = 32

// Sealer encrypts what is kept and must not be read from the store alone. It
// may be used by several goroutines.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a Sealer with a key of SealKeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) != SealKeySize {
		return nil, fmt.Errorf("the sealing key has %d bytes instead of %d", len(key), SealKeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("using the sealing key: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("using the sealing key: %w", err)
	}
	return &Sealer{aead}, nil
}

// NewSealKey returns a fresh random key.
func NewSealKey() []byte {
	key := make([]byte, SealKeySize)
	rand.Read(key) // never fails
	return key
}

// Seal encrypts plain so that Open gives it back for the same purpose only: a
// value moved to another row can't be opened there.
func (s *Sealer) Seal(plain []byte, purpose string) []byte {
	return s.aead.Seal(nil, nil, plain, []byte(purpose))
}

// Open decrypts what Seal returned for purpose.
func (s *Sealer) Open(sealed []byte, purpose string) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, []byte(purpose))
	if err != nil {
		return nil, errors.New("a sealed value can't be opened: it was changed, or sealed with another key")
	}
	return plain, nil
}
