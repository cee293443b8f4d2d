package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/drydockhq/drydock"
)

// kept is how keys are kept, as JSON. The keysets are encrypted.
type kept struct {
	Wrapper string `json:"wrapper"` // name of what they are encrypted with
	Values  []byte `json:"values"`
	Backups []byte `json:"backups"`
}

// ring is the keys as they were at some moment.
type ring struct {
	text            []byte // as they are kept
	wrapper         string
	values, backups *keyset.Handle
	seal, back      tink.AEAD
	primary         uint32
	known           map[uint32]bool
}

func newRing(wrapper string, values, backups *keyset.Handle) (*ring, error) {
	r := &ring{wrapper: wrapper, values: values, backups: backups, known: map[uint32]bool{}}
	var err error
	if r.seal, err = aead.New(values); err != nil {
		return nil, fmt.Errorf("using the keys of the vaults: %w", err)
	}
	if r.back, err = aead.New(backups); err != nil {
		return nil, fmt.Errorf("using the keys of the vaults: %w", err)
	}
	info := values.KeysetInfo()
	r.primary = info.GetPrimaryKeyId()
	for _, k := range info.GetKeyInfo() {
		r.known[k.GetKeyId()] = true
	}
	return r, nil
}

// freshRing returns new keys.
func freshRing(wrapper string) (*ring, error) {
	var handles [2]*keyset.Handle
	for i := range handles {
		h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
		if err != nil {
			return nil, fmt.Errorf("making keys for the vaults: %w", err)
		}
		handles[i] = h
	}
	return newRing(wrapper, handles[0], handles[1])
}

// encode sets the text of a ring.
func (r *ring) encode(ctx context.Context, w Wrapper) (err error) {
	k := kept{Wrapper: r.wrapper}
	if k.Values, err = wrapKeyset(ctx, r.values, w); err != nil {
		return err
	}
	if k.Backups, err = wrapKeyset(ctx, r.backups, w); err != nil {
		return err
	}
	r.text, err = json.Marshal(k)
	return err
}

func wrapKeyset(ctx context.Context, h *keyset.Handle, w Wrapper) ([]byte, error) {
	var b bytes.Buffer
	if err := h.Write(keyset.NewBinaryWriter(&b), envelope(ctx, w)); err != nil {
		return nil, fmt.Errorf("encrypting the keys of the vaults: %w", err)
	}
	return b.Bytes(), nil
}

// decodeRing reads what encode wrote.
func decodeRing(ctx context.Context, text []byte, open Opener) (_ *ring, err error) {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, drydock.Errorf(drydock.Internal, "the keys of the vaults can't be read")
	}
	w, err := open.Open(ctx, k.Wrapper)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	var handles [2]*keyset.Handle
	for i, wrapped := range [][]byte{k.Values, k.Backups} {
		// Tink tells that it failed, and not why the wrapper did.
		said := &telling{Wrapper: w}
		h, err := keyset.Read(keyset.NewBinaryReader(bytes.NewReader(wrapped)), envelope(ctx, said))
		if said.err != nil {
			return nil, said.err
		}
		if err != nil {
			return nil, drydock.Errorf(drydock.Unavailable, "the keys of the vaults can't be decrypted: they were changed in the database")
		}
		handles[i] = h
	}
	r, err := newRing(k.Wrapper, handles[0], handles[1])
	if err != nil {
		return nil, err
	}
	r.text = text
	return r, nil
}

func withFreshKey(h *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("adding a key: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("adding a key: %w", err)
	}
	return m.Handle()
}

func withPrimaryOnly(h *keyset.Handle) (*keyset.Handle, error) {
	m := keyset.NewManagerFromHandle(h)
	info := h.KeysetInfo()
	for _, k := range info.GetKeyInfo() {
		if k.GetKeyId() == info.GetPrimaryKeyId() {
			continue
		}
		if err := m.Delete(k.GetKeyId()); err != nil {
			return nil, fmt.Errorf("dropping a key: %w", err)
		}
	}
	return m.Handle()
}
