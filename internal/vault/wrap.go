package vault

import (
	"context"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Wrapper encrypts the keys that values are encrypted with. It may be used by
// several goroutines.
type Wrapper interface {
	Wrap(ctx context.Context, plain []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
	Close() error
}

// envelope encrypts keysets with a fresh key, which the wrapper encrypts: some
// key management services encrypt no more than the length of a key.
func envelope(ctx context.Context, w Wrapper) tink.AEAD {
	return aead.NewKMSEnvelopeAEAD2(aead.AES256GCMKeyTemplate(), wrapperAEAD{ctx, w})
}

// telling is a wrapper that remembers its error.
type telling struct {
	Wrapper
	err error
}

// Unwrap implements Wrapper.
func (t *telling) Unwrap(ctx context.Context, wrapped []byte) (plain []byte, err error) {
	plain, t.err = t.Wrapper.Unwrap(ctx, wrapped)
	return plain, t.err
}

// wrapperAEAD is a wrapper as Tink takes them, for the time of a call.
type wrapperAEAD struct {
	ctx context.Context
	w   Wrapper
}

var _ tink.AEAD = wrapperAEAD{}

// Encrypt implements tink.AEAD.
func (a wrapperAEAD) Encrypt(plain, associated []byte) ([]byte, error) {
	if len(associated) > 0 {
		return nil, fmt.Errorf("a wrapper takes no associated data")
	}
	return a.w.Wrap(a.ctx, plain)
}

// Decrypt implements tink.AEAD.
func (a wrapperAEAD) Decrypt(wrapped, associated []byte) ([]byte, error) {
	if len(associated) > 0 {
		return nil, fmt.Errorf("a wrapper takes no associated data")
	}
	return a.w.Unwrap(a.ctx, wrapped)
}
