package vault

import (
	"context"
	"strings"
	"time"

	"github.com/drydockhq/drydock"
)

// Source reads secrets that are kept elsewhere. Its methods may be called from
// several goroutines.
type Source interface {
	// Secret returns a secret; of a version if that is not empty. One that is not
	// there is an error with code NotFound. Errors hold no values.
	Secret(ctx context.Context, name, version string) (string, error)
}

// AzureReader reads secrets of vaults of Azure.
type AzureReader interface {
	// AzureSecret returns a secret of the vault at a host.
	AzureSecret(ctx context.Context, host, name, version string) (string, error)
}

// fromSource reads the secret of a request elsewhere.
func (s *Service) fromSource(ctx context.Context, req *request, source Source, version string) (*Secret, error) {
	value, err := source.Secret(ctx, req.secret, version)
	if drydock.CodeOf(err) == drydock.NotFound {
		return nil, secretNotFound(strings.TrimSuffix(req.secret+"/"+version, "/"))
	}
	if err != nil {
		return nil, err
	}
	if version == "" {
		version = strings.Repeat("0", 32)
	}
	v := drydock.SecretVersion{Vault: req.vault.UID, Name: req.secret, Version: version, Created: time.Unix(0, 0), Updated: time.Unix(0, 0)}
	return req.show(v, value), nil
}
