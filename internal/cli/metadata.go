package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/profile"
)

// maxMetadata bounds what a server says of itself, in bytes.
const maxMetadata = 1 << 20

// metadata is what /metadata/endpoints says of a cloud.
type metadata struct {
	Authentication struct {
		LoginEndpoint string
		Audiences     []string
	}
	MicrosoftGraphResourceID string
	Suffixes                 struct{ ACRLoginServer, KeyVaultDNS, Storage string }
}

func (m metadata) apply(c *profile.Cloud) {
	if m.Authentication.LoginEndpoint != "" {
		c.ActiveDirectory = strings.TrimRight(m.Authentication.LoginEndpoint, "/")
	}
	if len(m.Authentication.Audiences) > 0 {
		c.Audience = m.Authentication.Audiences[0]
	}
	if m.MicrosoftGraphResourceID != "" {
		c.MicrosoftGraph = m.MicrosoftGraphResourceID
	}
	for to, suffix := range map[*string]string{
		&c.RegistrySuffix: m.Suffixes.ACRLoginServer, &c.VaultSuffix: m.Suffixes.KeyVaultDNS,
	} {
		if suffix != "" {
			*to = "." + strings.TrimPrefix(suffix, ".")
		}
	}
	if m.Suffixes.Storage != "" {
		c.StorageSuffix = m.Suffixes.Storage
	}
}

// metadata asks a cloud for its endpoints. One that does not say follows the
// usual names.
func (a *app) metadata(ctx context.Context, cloud profile.Cloud) (m metadata, err error) {
	client, err := a.httpClient(cloud)
	if err != nil {
		return m, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, cloud.ResourceManager+"/metadata/endpoints?api-version=2022-09-01", nil)
	if err != nil {
		return m, err
	}
	answer, err := client.Do(r)
	if err != nil {
		return m, fmt.Errorf("asking the server: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return m, nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxMetadata))
	if err != nil {
		return m, fmt.Errorf("asking the server: %w", err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return metadata{}, nil // not a resource manager's answer
	}
	return m, nil
}
