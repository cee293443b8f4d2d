package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/drydockhq/drydock"
)

// keysSetting is the setting that the keys are kept in.
const keysSetting = "vault/keys"

// errRotated reports that the keys changed between two steps.
var errRotated = errors.New("the keys of the vaults were changed meanwhile")

// KeyStore is where the keys are kept, encrypted.
type KeyStore interface {
	drydock.SettingStore
	drydock.Transactor
}

// Keys encrypt values. They follow what another process does with them: the
// command that rotates them runs beside the server. Methods may be called from
// several goroutines.
type Keys struct {
	store KeyStore
	open  Opener

	mu   sync.Mutex
	ring *ring
}

// OpenKeys opens the keys that are encrypted with the wrapper of a name, and
// makes them, and the file that they are encrypted with, if there are none yet.
// Keys that are encrypted with another wrapper are an error with code Conflict.
func OpenKeys(ctx context.Context, store KeyStore, open Opener, wrapper string) (*Keys, error) {
	k := &Keys{store: store, open: open}
	_, err := store.Setting(ctx, keysSetting)
	if drydock.CodeOf(err) == drydock.NotFound {
		err = k.make(ctx, wrapper)
	}
	if err != nil {
		return nil, err
	}
	r, err := k.reload(ctx)
	if err != nil {
		return nil, err
	}
	if open.canonical(r.wrapper) != open.canonical(wrapper) {
		return nil, drydock.Errorf(drydock.Conflict, "the keys of the vaults are encrypted with %s, not with %s", r.wrapper, wrapper).
			WithHint("drydockd vault rotate-key --vault-key %s changes that", wrapper)
	}
	return k, nil
}

func (k *Keys) make(ctx context.Context, wrapper string) error {
	if file, ok := k.open.File(wrapper); ok {
		if err := file.makeIfMissing(); err != nil {
			return err
		}
	}
	r, err := freshRing(k.open.canonical(wrapper))
	if err != nil {
		return err
	}
	w, err := k.open.Open(ctx, wrapper)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := r.encode(ctx, w); err != nil {
		return err
	}
	_, err = k.store.AddSetting(ctx, keysSetting, r.text)
	return err
}

// current returns the keys as they were last seen.
func (k *Keys) current(ctx context.Context) (*ring, error) {
	k.mu.Lock()
	r := k.ring
	k.mu.Unlock()
	if r != nil {
		return r, nil
	}
	return k.reload(ctx)
}

// reload returns the keys as they are now.
func (k *Keys) reload(ctx context.Context) (*ring, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, err := k.store.Setting(ctx, keysSetting)
	if err != nil {
		return nil, err
	}
	if k.ring != nil && bytes.Equal(text, k.ring.text) {
		return k.ring, nil
	}
	r, err := decodeRing(ctx, text, k.open)
	if err != nil {
		return nil, err
	}
	k.ring = r
	return r, nil
}

// purpose binds an encrypted value to its place: moved to another row, it can't
// be opened there.
func purpose(v drydock.SecretVersion) []byte {
	return []byte("secret " + v.Vault + "/" + strings.ToLower(v.Name) + "/" + v.Version)
}

// store encrypts the value of a version and has it written, while the key is one
// that is in use.
func (k *Keys) sealed(ctx context.Context, v drydock.SecretVersion, value []byte, write func(context.Context, drydock.SecretVersion) error) error {
	for range 5 {
		r, err := k.current(ctx)
		if err != nil {
			return err
		}
		if v.Sealed, err = r.seal.Encrypt(value, purpose(v)); err != nil {
			return fmt.Errorf("encrypting the secret %s: %w", v.Name, err)
		}
		v.SealKey = r.primary
		err = k.store.Atomically(ctx, func(ctx context.Context) error {
			if err := k.unchanged(ctx, r); err != nil {
				return err
			}
			return write(ctx, v)
		})
		if !errors.Is(err, errRotated) {
			return err
		}
		if _, err := k.reload(ctx); err != nil {
			return err
		}
	}
	return drydock.Errorf(drydock.Unavailable, "the keys of the vaults are being changed again and again")
}

// unchanged returns errRotated when the keys are no more what they were.
func (k *Keys) unchanged(ctx context.Context, r *ring) error {
	text, err := k.store.Setting(ctx, keysSetting)
	if err != nil {
		return err
	}
	if !bytes.Equal(text, r.text) {
		return errRotated
	}
	return nil
}

// unseal returns the value of a version. errRotated says that it was encrypted
// anew since it was read.
func (k *Keys) unseal(ctx context.Context, v drydock.SecretVersion) ([]byte, error) {
	r, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	if !r.known[v.SealKey] {
		if r, err = k.reload(ctx); err != nil {
			return nil, err
		}
	}
	if !r.known[v.SealKey] {
		return nil, errRotated
	}
	value, err := r.seal.Decrypt(v.Sealed, purpose(v))
	if err != nil {
		return nil, drydock.Errorf(drydock.Internal, "the secret %s can't be decrypted: it was changed in the database", v.Name)
	}
	return value, nil
}
