package vault

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/hashicorp/vault/api"

	"github.com/drydockhq/drydock"
)

// hashiCorp is a source in a key-value engine of HashiCorp Vault.
type hashiCorp struct {
	address         string
	mount, folder   string
	namespace       string
	field           string // of an entry that is the secret
	first           bool   // version 1 of the engine, which keeps no versions
	token           string
	tokenFile       string // read for each secret: agents renew it
	certificateFile string
}

var _ Source = (*hashiCorp)(nil)

// newHashiCorp returns a source. The token is $VAULT_TOKEN unless there is a file
// with it.
func newHashiCorp(u *url.URL, environ []string) (*hashiCorp, error) {
	bad := func(why string) error {
		return drydock.Errorf(drydock.Invalid, "%q is not the store of a vault: %s", shownURL(u.String()), why).
			WithHint("write it as hashivault+https://HOST/MOUNT/FOLDER?token-file=FILE")
	}
	h := &hashiCorp{address: strings.TrimPrefix(u.Scheme, "hashivault+") + "://" + u.Host, field: "value"}
	if h.mount, h.folder, _ = strings.Cut(strings.Trim(u.Path, "/"), "/"); u.Host == "" || h.mount == "" || u.User != nil {
		return nil, bad("it has no host and mount, or more than those")
	}
	for key, values := range u.Query() {
		switch value := values[0]; key {
		case "token-file":
			h.tokenFile = value
		case "ca-file":
			h.certificateFile = value
		case "namespace":
			h.namespace = value
		case "field":
			h.field = value
		case "kv":
			if value != "1" && value != "2" {
				return nil, bad("kv is 1 or 2")
			}
			h.first = value == "1"
		default:
			return nil, bad("it has the unknown parameter " + shorten(key))
		}
	}
	for _, text := range environ {
		if value, ok := strings.CutPrefix(text, "VAULT_TOKEN="); ok {
			h.token = value
		}
	}
	if h.token == "" && h.tokenFile == "" {
		return nil, bad("there is no token: neither token-file nor $VAULT_TOKEN")
	}
	return h, nil
}

// Secret implements Source.
func (h *hashiCorp) Secret(ctx context.Context, name, version string) (string, error) {
	client, err := h.client()
	if err != nil {
		return "", err
	}
	defer client.CloneConfig().HttpClient.CloseIdleConnections()
	entry, err := h.entry(ctx, client, path.Join(h.folder, name), version)
	var answer *api.ResponseError
	switch {
	case errors.Is(err, api.ErrSecretNotFound), err == nil && entry == nil:
		return "", drydock.Errorf(drydock.NotFound, "HashiCorp Vault has no entry %s", name)
	case errors.As(err, &answer) && answer.StatusCode == http.StatusForbidden:
		return "", drydock.Errorf(drydock.Unavailable, "the server's token lets it not read the entry %s of HashiCorp Vault", name)
	case err != nil && drydock.CodeOf(err) == drydock.NotFound:
		return "", err
	case err != nil:
		return "", drydock.Errorf(drydock.Unavailable, "asking HashiCorp Vault for the entry %s: %w", name, err)
	}
	value, ok := entry[h.field].(string)
	if !ok {
		return "", drydock.Errorf(drydock.NotFound, "the entry %s of HashiCorp Vault has no text in a field %s", name, h.field)
	}
	return value, nil
}

// entry reads an entry; nil says that a version of it was deleted.
func (h *hashiCorp) entry(ctx context.Context, client *api.Client, at, version string) (map[string]any, error) {
	var found *api.KVSecret
	var err error
	switch {
	case h.first:
		if err := noVersion(version); err != nil {
			return nil, err
		}
		found, err = client.KVv1(h.mount).Get(ctx, at)
	case version != "":
		n, bad := strconv.Atoi(version)
		if bad != nil || n < 1 {
			return nil, drydock.Errorf(drydock.NotFound, "versions of HashiCorp Vault are numbers from 1 on")
		}
		found, err = client.KVv2(h.mount).GetVersion(ctx, at, n)
	default:
		found, err = client.KVv2(h.mount).Get(ctx, at)
	}
	if err != nil {
		return nil, err
	}
	return found.Data, nil
}

func (h *hashiCorp) client() (*api.Client, error) {
	c := api.DefaultConfig()
	c.Address, c.MaxRetries = h.address, 2
	if h.certificateFile != "" {
		if err := c.ConfigureTLS(&api.TLSConfig{CACert: h.certificateFile}); err != nil {
			return nil, drydock.Errorf(drydock.Unavailable, "reading the certificates of HashiCorp Vault: %w", err)
		}
	}
	client, err := api.NewClient(c)
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "making a client of HashiCorp Vault: %w", err)
	}
	token := h.token
	if h.tokenFile != "" {
		text, err := os.ReadFile(h.tokenFile)
		if err != nil {
			return nil, drydock.Errorf(drydock.Unavailable, "reading the token for HashiCorp Vault: %w", err)
		}
		token = cmp.Or(strings.TrimSpace(string(text)), token)
	}
	client.SetToken(token)
	if h.namespace != "" {
		client.SetNamespace(h.namespace)
	}
	return client, nil
}
