package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"github.com/drydockhq/drydock"
)

// KeyFile is a Wrapper whose keys are in a file, as a Tink keyset in JSON form.
// The file is read for each use, so that another process may change it.
type KeyFile struct{ Path string }

var _ Wrapper = KeyFile{}

// Make makes the file with a fresh key.
func (f KeyFile) Make() error {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	return f.write(h)
}

// makeIfMissing makes the file unless it is there.
func (f KeyFile) makeIfMissing() error {
	if _, err := os.Stat(f.Path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return f.Make()
}

// Wrap implements Wrapper.
func (f KeyFile) Wrap(_ context.Context, plain []byte) ([]byte, error) {
	h, err := f.read()
	if err != nil {
		return nil, err
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("using the key file %s: %w", f.Path, err)
	}
	return a.Encrypt(plain, nil)
}

// Unwrap implements Wrapper.
func (f KeyFile) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	h, err := f.read()
	if err != nil {
		return nil, err
	}
	a, err := aead.New(h)
	if err != nil {
		return nil, fmt.Errorf("using the key file %s: %w", f.Path, err)
	}
	plain, err := a.Decrypt(wrapped, nil)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "the key file %s is not the one that the vaults' keys are encrypted with", f.Path).
			WithHint("put the right one back from a backup")
	}
	return plain, nil
}

// Close implements Wrapper.
func (f KeyFile) Close() error { return nil }

// addKey adds a fresh key, with which everything is wrapped from then on.
func (f KeyFile) addKey() error { return f.change(withFreshKey) }

// dropOldKeys leaves the newest key only.
func (f KeyFile) dropOldKeys() error { return f.change(withPrimaryOnly) }

func (f KeyFile) change(keys func(*keyset.Handle) (*keyset.Handle, error)) error {
	h, err := f.read()
	if err != nil {
		return err
	}
	if h, err = keys(h); err != nil {
		return err
	}
	return f.write(h)
}

func (f KeyFile) read() (*keyset.Handle, error) {
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "reading the key of the vaults: %w", err).
			WithHint("put the file back from a backup")
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
	if err != nil { // whose text may quote the file
		return nil, drydock.Errorf(drydock.Unavailable, "%s is not a file of keys", f.Path)
	}
	return h, nil
}

// write replaces the file at once: it is there in full or as it was.
func (f KeyFile) write(h *keyset.Handle) error {
	var text bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&text)); err != nil {
		return fmt.Errorf("writing the key of the vaults: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o700); err != nil {
		return drydock.Errorf(drydock.Unavailable, "writing the key of the vaults: %w", err)
	}
	if err := replaceFile(f.Path, text.Bytes()); err != nil {
		return drydock.Errorf(drydock.Unavailable, "writing the key of the vaults: %w", err)
	}
	return nil
}

func replaceFile(path string, text []byte) error {
	next, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = next.Write(text)
	if err := errors.Join(err, next.Sync(), next.Close()); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
