package auth

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/drydockhq/drydock"
)

// The only algorithm: it is what Azure's authority signs with, so every client
// knows it. A token that names another one is refused before its key is looked up.
const signingAlgorithm = jose.RS256

const (
	keysSetting = "auth/signing-keys"
	keyBits     = 2048
	// Of older keys this many stay in the set, so that tokens of before a
	// rotation are good until they end.
	oldKeys = 2
)

// Keys are the authority's signing keys. They are read once; Rotate replaces
// them. Its methods may be called from one goroutine at a time, but those of
// the key sets that Load returns from several.
type Keys struct {
	Settings drydock.SettingStore
	Sealer   *Sealer
	Now      func() time.Time
}

// KeySet holds the signing key and the public halves of all.
type KeySet struct {
	signing jose.JSONWebKey
	public  jose.JSONWebKeySet
}

// Load returns the stored keys, and makes the first one if there is none.
func (k *Keys) Load(ctx context.Context) (*KeySet, error) {
	stored, err := k.Settings.Setting(ctx, keysSetting)
	if drydock.CodeOf(err) == drydock.NotFound {
		var fresh []byte
		if fresh, err = k.pack(nil); err == nil {
			stored, err = k.Settings.AddSetting(ctx, keysSetting, fresh)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	keys, err := k.unpack(stored)
	if err != nil {
		return nil, err
	}
	return newKeySet(keys), nil
}

// Rotate makes a new signing key. Tokens of the older ones stay good.
func (k *Keys) Rotate(ctx context.Context) (*KeySet, error) {
	stored, err := k.Settings.Setting(ctx, keysSetting)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	keys, err := k.unpack(stored)
	if err != nil {
		return nil, err
	}
	packed, err := k.pack(keys)
	if err != nil {
		return nil, err
	}
	if err := k.Settings.PutSetting(ctx, keysSetting, packed); err != nil {
		return nil, fmt.Errorf("storing the signing keys: %w", err)
	}
	return k.Load(ctx)
}

// pack puts a new key before the others and seals them.
func (k *Keys) pack(older []jose.JSONWebKey) ([]byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	id := k.Now().UTC().Format("20060102T150405Z") + "-" + NewSecret()[:8]
	fresh := jose.JSONWebKey{Key: private, KeyID: id, Algorithm: string(signingAlgorithm), Use: "sig"}
	keys := append([]jose.JSONWebKey{fresh}, older...)
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: keys[:min(len(keys), 1+oldKeys)]})
	if err != nil {
		return nil, fmt.Errorf("writing the signing keys: %w", err)
	}
	return k.Sealer.Seal(text, keysSetting), nil
}

func (k *Keys) unpack(sealed []byte) ([]jose.JSONWebKey, error) {
	text, err := k.Sealer.Open(sealed, keysSetting)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil || len(set.Keys) == 0 {
		return nil, fmt.Errorf("reading the signing keys: they are damaged (%w)", err)
	}
	return set.Keys, nil
}

func newKeySet(keys []jose.JSONWebKey) *KeySet {
	set := &KeySet{signing: keys[0]}
	for _, key := range keys {
		set.public.Keys = append(set.public.Keys, key.Public())
	}
	return set
}

// Public returns the public keys, as /discovery/keys shows them.
func (s *KeySet) Public() jose.JSONWebKeySet { return s.public }

func (s *KeySet) signer() (jose.Signer, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: signingAlgorithm, Key: s.signing}, options)
	if err != nil {
		return nil, fmt.Errorf("using the signing key: %w", err)
	}
	return signer, nil
}
