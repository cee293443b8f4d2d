package vault

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/drydockhq/drydock"
)

// backupPurpose binds a backup to what it is.
const backupPurpose = "backup of a secret"

// backup is a secret with all its versions, the oldest first. It is never seen
// but encrypted.
type backup struct {
	Name     string          `json:"name"`
	Versions []backupVersion `json:"versions"`
}

type backupVersion struct {
	drydock.SecretVersion
	Value []byte `json:"value"`
}

// Backup returns a secret with all its versions, encrypted for this server.
func (s *Service) Backup(ctx context.Context, vault, name string, by Caller) (string, error) {
	return do(ctx, s, vault, name, by, permBackup, func(req *request) (string, error) {
		if err := s.local(req); err != nil {
			return "", err
		}
		var text []byte
		for range 5 {
			var err error
			if text, err = s.pack(ctx, req); errors.Is(err, errRotated) {
				continue
			} else if err != nil {
				return "", err
			}
			break
		}
		r, err := s.c.Keys.current(ctx)
		if err != nil {
			return "", err
		}
		sealed, err := r.back.Encrypt(text, []byte(backupPurpose))
		if err != nil {
			return "", err
		}
		return base64.RawURLEncoding.EncodeToString(sealed), nil
	})
}

func (s *Service) pack(ctx context.Context, req *request) ([]byte, error) {
	found, err := s.c.Store.SecretVersions(ctx, drydock.SecretFilter{Vault: req.vault.UID, Name: req.secret})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, secretNotFound(req.secret)
	}
	b := backup{Name: found[0].Name}
	for _, v := range slices.Backward(found) {
		value, err := s.c.Keys.unseal(ctx, v)
		if err != nil {
			return nil, err
		}
		v.Sealed, v.SealKey = nil, 0
		b.Versions = append(b.Versions, backupVersion{v, value})
	}
	return json.Marshal(b)
}

// Restore makes a secret of its backup, with all its versions. Its name must be
// free.
func (s *Service) Restore(ctx context.Context, vault, text string, by Caller) (*Secret, error) {
	return do(ctx, s, vault, "", by, permRestore, func(req *request) (*Secret, error) {
		if err := s.local(req); err != nil {
			return nil, err
		}
		b, err := s.unpack(ctx, text)
		if err != nil {
			return nil, err
		}
		req.secret = b.Name
		var last drydock.SecretVersion
		err = s.c.Store.Atomically(ctx, func(ctx context.Context) error {
			there, err := s.c.Store.SecretVersions(ctx, drydock.SecretFilter{Vault: req.vault.UID, Name: b.Name, Any: true, Limit: 1})
			if err != nil {
				return err
			}
			if len(there) > 0 {
				return conflict("", "A secret with the name %s is in this key vault already, or was deleted from it and can be recovered.", b.Name)
			}
			for _, v := range b.Versions {
				last = v.SecretVersion
				last.Vault = req.vault.UID
				if err := s.c.Keys.sealed(ctx, last, v.Value, s.c.Store.AddSecretVersion); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return req.describe(last), nil
	})
}

func (s *Service) unpack(ctx context.Context, text string) (*backup, error) {
	bad := badParameter("The backup can't be restored: it is not one of this server's, or was changed.")
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, bad
	}
	// The keys may have come with a rotation.
	r, err := s.c.Keys.reload(ctx)
	if err != nil {
		return nil, err
	}
	plain, err := r.back.Decrypt(sealed, []byte(backupPurpose))
	if err != nil {
		return nil, bad
	}
	var b backup
	if err := json.Unmarshal(plain, &b); err != nil || !secretName.MatchString(b.Name) || len(b.Versions) == 0 {
		return nil, bad
	}
	return &b, nil
}
