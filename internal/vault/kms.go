package vault

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/hashicorp/vault/api"
	"gocloud.dev/secrets"
	"gocloud.dev/secrets/awskms"
	"gocloud.dev/secrets/azurekeyvault"
	"gocloud.dev/secrets/hashivault"

	"github.com/drydockhq/drydock"
)

// keeper is a Wrapper whose key is in a key management service and never leaves
// it.
type keeper struct {
	k    *secrets.Keeper
	name string // without what may be secret
}

var _ Wrapper = keeper{}

// openKeeper opens the key with a URL as gocloud.dev/secrets has them:
// azurekeyvault://VAULT.vault.azure.net/keys/NAME/VERSION, hashivault://NAME or
// awskms://ID?region=REGION. Credentials come from the environment.
func openKeeper(ctx context.Context, text string, azureKeys azurekeyvault.ClientMakerT) (Wrapper, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "the URL of the vaults' key can't be understood")
	}
	// A mux of our own: that of the library has what others register.
	mux := new(secrets.URLMux)
	if azureKeys == nil {
		azureKeys = azurekeyvault.DefaultClientMaker
	}
	mux.RegisterKeeper(azurekeyvault.Scheme, &azurekeyvault.URLOpener{ClientMaker: azureKeys})
	mux.RegisterKeeper(hashivault.Scheme, hashivaultOpener{})
	mux.RegisterKeeper(awskms.Scheme, &awskms.URLOpener{})
	if !mux.ValidKeeperScheme(u.Scheme) {
		return nil, drydock.Errorf(drydock.Invalid, "there are no keys with URLs of %s://", u.Scheme).
			WithHint("name a file, or a key as %s", strings.Join([]string{"azurekeyvault://…", "hashivault://…", "awskms://…"}, ", "))
	}
	k, err := mux.OpenKeeperURL(ctx, u)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "opening the vaults' key %s: %w", u.Redacted(), err)
	}
	return keeper{k, u.Redacted()}, nil
}

// hashivaultOpener opens keys of HashiCorp Vault's transit engine, at $VAULT_ADDR
// with $VAULT_TOKEN.
type hashivaultOpener struct{}

// OpenKeeperURL implements secrets.KeeperURLOpener.
func (hashivaultOpener) OpenKeeperURL(ctx context.Context, u *url.URL) (*secrets.Keeper, error) {
	client, err := api.NewClient(api.DefaultConfig())
	if err != nil {
		return nil, err
	}
	return (&hashivault.URLOpener{Client: client}).OpenKeeperURL(ctx, u)
}

// Wrap implements Wrapper.
func (k keeper) Wrap(ctx context.Context, plain []byte) ([]byte, error) {
	wrapped, err := k.k.Encrypt(ctx, plain)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "encrypting with the vaults' key %s: %w", k.name, err)
	}
	return wrapped, nil
}

// Unwrap implements Wrapper.
func (k keeper) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	plain, err := k.k.Decrypt(ctx, wrapped)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "decrypting with the vaults' key %s: %w", k.name, err)
	}
	return plain, nil
}

// Close implements Wrapper.
func (k keeper) Close() error { return k.k.Close() }

// Opener opens the wrapper of a name: that of a file, which is below dir unless
// its path is absolute, or the URL of a key in a key management service.
type Opener struct {
	Dir string
	// AzureKeys returns the client of a key vault of Azure; nil for one that signs
	// in as the environment says.
	AzureKeys azurekeyvault.ClientMakerT
}

// Open opens a wrapper, which the caller closes.
func (o Opener) Open(ctx context.Context, name string) (Wrapper, error) {
	if file, ok := o.File(name); ok {
		return file, nil
	}
	return openKeeper(ctx, name, o.AzureKeys)
}

// File returns the file of a name, and false for the URL of a service.
func (o Opener) File(name string) (KeyFile, bool) {
	path, isURL := strings.CutPrefix(name, "file://")
	if !isURL && strings.Contains(name, "://") {
		return KeyFile{}, false
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Dir, path)
	}
	return KeyFile{path}, true
}

// canonical returns the one spelling of a name, by which names are compared and
// kept: a file below the data folder has a path relative to it, which stays right
// where the folder moves.
func (o Opener) canonical(name string) string {
	file, ok := o.File(name)
	if !ok {
		return name
	}
	// The last element stays: a file that is written takes the place of a link.
	path := filepath.Join(withoutLinks(filepath.Dir(file.Path)), filepath.Base(file.Path))
	if below, err := filepath.Rel(withoutLinks(o.Dir), path); err == nil && filepath.IsLocal(below) {
		return below
	}
	return path
}

// withoutLinks returns the absolute path of a folder, of which the last elements
// may not be there yet.
func withoutLinks(folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return folder
	}
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		return real
	}
	parent := filepath.Dir(folder)
	if parent == folder {
		return folder
	}
	return filepath.Join(withoutLinks(parent), filepath.Base(folder))
}
