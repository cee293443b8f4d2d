package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/drydockhq/drydock"
)

// resealAtOnce is how many values are encrypted anew between two looks at
// whether to go on.
const resealAtOnce = 100

// RotationStore is what a rotation needs of the store.
type RotationStore interface {
	KeyStore
	drydock.SealedStore
}

// Rotation replaces the keys of the vaults while a server may be running.
//
// It first makes a key with which everything is encrypted from then on, encrypts
// with it what is there, and then drops the older ones; those of backups stay, or
// backups could not be restored any more. Cut off at any point, nothing is lost,
// and the next one ends what was begun.
type Rotation struct {
	Store RotationStore
	Open  Opener
	// Wrapper names what the keys are to be encrypted with; as before if it is
	// empty.
	Wrapper string
	// Step is called before each change of what is kept; it may be nil. An error
	// of it ends the rotation.
	Step func() error
}

// Rotate carries out the rotation and returns how many values it encrypted anew.
func (r Rotation) Rotate(ctx context.Context) (int, error) {
	k := &Keys{store: r.Store, open: r.Open}
	old, err := k.reload(ctx)
	if drydock.CodeOf(err) == drydock.NotFound {
		return 0, drydock.Errorf(drydock.NotFound, "there are no keys of vaults yet").WithHint("start the server once")
	}
	if err != nil {
		return 0, err
	}
	wrapper := r.Wrapper
	if wrapper == "" {
		wrapper = old.wrapper
	}
	wrapper = r.Open.canonical(wrapper)
	if err := r.prepareFile(wrapper); err != nil {
		return 0, err
	}
	if err := r.replace(ctx, k, func(now *ring) (*ring, error) { return now.renewed(wrapper) }, nil); err != nil {
		return 0, err
	}
	n, err := r.finish(ctx, k)
	if err != nil {
		return n, err
	}
	if file, ok := r.Open.File(wrapper); ok {
		if err := r.step(); err != nil {
			return n, err
		}
		return n, file.dropOldKeys()
	}
	return n, nil
}

// prepareFile makes the file of a wrapper, or adds a key to it.
func (r Rotation) prepareFile(wrapper string) error {
	file, ok := r.Open.File(wrapper)
	if !ok {
		return nil
	}
	if err := r.step(); err != nil {
		return err
	}
	if err := file.makeIfMissing(); err != nil {
		return err
	}
	return file.addKey()
}

func (r Rotation) step() error {
	if r.Step == nil {
		return nil
	}
	return r.Step()
}

// finish encrypts what is there with the newest key until nothing is left that
// needs another, and drops those.
func (r Rotation) finish(ctx context.Context, k *Keys) (n int, err error) {
	for {
		now, err := k.current(ctx)
		if err != nil {
			return n, err
		}
		others, err := r.Store.SealedByOthers(ctx, now.primary, resealAtOnce)
		if err != nil {
			return n, err
		}
		if len(others) == 0 {
			err := r.replace(ctx, k, (*ring).dropped, func(ctx context.Context) error {
				late, err := r.Store.SealedByOthers(ctx, now.primary, 1)
				if err == nil && len(late) > 0 {
					err = errRotated
				}
				return err
			})
			if errors.Is(err, errRotated) {
				continue
			}
			return n, err
		}
		for _, v := range others {
			if err := r.reseal(ctx, k, now, v); err != nil {
				return n, err
			}
			n++
		}
	}
}

// reseal encrypts a value with the newest key.
func (r Rotation) reseal(ctx context.Context, k *Keys, now *ring, v drydock.SecretVersion) error {
	value, err := k.unseal(ctx, v)
	if err != nil {
		return fmt.Errorf("encrypting the secret %s anew: %w", v.Name, err)
	}
	old := v.SealKey
	if v.Sealed, err = now.seal.Encrypt(value, purpose(v)); err != nil {
		return fmt.Errorf("encrypting the secret %s anew: %w", v.Name, err)
	}
	v.SealKey = now.primary
	if err := r.step(); err != nil {
		return err
	}
	return r.Store.Reseal(ctx, v, old)
}

// replace keeps what change makes of the keys, if also agrees in the same
// transaction and nobody else replaced them meanwhile.
func (r Rotation) replace(ctx context.Context, k *Keys, change func(*ring) (*ring, error), also func(context.Context) error) error {
	now, err := k.reload(ctx)
	if err != nil {
		return err
	}
	next, err := change(now)
	if err != nil {
		return err
	}
	w, err := r.Open.Open(ctx, next.wrapper)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := next.encode(ctx, w); err != nil {
		return err
	}
	if err := r.step(); err != nil {
		return err
	}
	err = r.Store.Atomically(ctx, func(ctx context.Context) error {
		if err := k.unchanged(ctx, now); err != nil {
			return err
		}
		if also != nil {
			if err := also(ctx); err != nil {
				return err
			}
		}
		return r.Store.PutSetting(ctx, keysSetting, next.text)
	})
	if err != nil {
		return err
	}
	_, err = k.reload(ctx)
	return err
}

// renewed returns the ring with fresh keys beside the old ones.
func (r *ring) renewed(wrapper string) (*ring, error) {
	return r.with(wrapper, withFreshKey, withFreshKey)
}

// dropped returns the ring without the older keys of values.
func (r *ring) dropped() (*ring, error) {
	return r.with(r.wrapper, withPrimaryOnly, func(h *keyset.Handle) (*keyset.Handle, error) { return h, nil })
}

func (r *ring) with(wrapper string, values, backups func(*keyset.Handle) (*keyset.Handle, error)) (*ring, error) {
	v, err := values(r.values)
	if err != nil {
		return nil, err
	}
	b, err := backups(r.backups)
	if err != nil {
		return nil, err
	}
	return newRing(wrapper, v, b)
}
