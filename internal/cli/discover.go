package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

// maxMetadata bounds what a server says of itself, in bytes.
const maxMetadata = 1 << 20

// cloud returns the cloud to sign in to: that of an endpoint, or the one in use.
func (l *loginFlags) cloud(c *call, p *profile.Profile) (profile.Cloud, error) {
	authorities, err := readAuthorities(l.ca)
	if err != nil {
		return profile.Cloud{}, err
	}
	if l.endpoint != "" {
		return c.discover(c.ctx, "", l.endpoint, authorities)
	}
	cloud, ok := p.Cloud(c.activeCloud(p))
	if !ok {
		return profile.Cloud{}, usageError(c.cmd, drydock.Errorf(drydock.Invalid, "there is no server to sign in to yet").
			WithHint("name it with --endpoint https://management.DOMAIN"))
	}
	if authorities != "" {
		cloud.Authorities = authorities
	}
	return cloud, nil
}

func readAuthorities(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", drydock.Errorf(drydock.Invalid, "reading the certificates to trust: %w", err)
	}
	return string(text), nil
}

// activeCloud returns the name of the cloud in use.
func (a *app) activeCloud(p *profile.Profile) string {
	if name := a.getenv("AZURE_CLOUD_NAME"); name != "" {
		return name
	}
	return p.Active
}

// discover asks a server what its hosts are called. A cloud without a name gets
// its domain's.
func (a *app) discover(ctx context.Context, name, endpoint, authorities string) (profile.Cloud, error) {
	manager, err := endpointURL(endpoint)
	if err != nil {
		return profile.Cloud{}, err
	}
	domain := strings.TrimPrefix(manager.Host, "management.")
	if name == "" {
		name = domain
	}
	cloud := profile.Cloud{
		Name: name, ResourceManager: manager.String(), Audience: manager.String() + "/", Authorities: authorities,
		ActiveDirectory: "https://login." + domain, RegistrySuffix: ".azurecr." + domain, VaultSuffix: ".vault." + domain, StorageSuffix: domain,
	}
	said, err := a.metadata(ctx, cloud)
	if err != nil {
		return profile.Cloud{}, err
	}
	said.apply(&cloud)
	return cloud, nil
}

// endpointURL reads the URL of a resource manager.
func endpointURL(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" || u.Path != "" {
		return nil, drydock.Errorf(drydock.Invalid, "%q is not the URL of a server", text).WithHint("it is of the form https://management.DOMAIN[:PORT]")
	}
	return u, nil
}

// metadata is what /metadata/endpoints says of a cloud.
type metadata struct {
	Authentication struct {
		LoginEndpoint string
		Audiences     []string
	}
	Suffixes struct{ ACRLoginServer, KeyVaultDNS, Storage string }
}

func (m metadata) apply(c *profile.Cloud) {
	if m.Authentication.LoginEndpoint != "" {
		c.ActiveDirectory = strings.TrimRight(m.Authentication.LoginEndpoint, "/")
	}
	if len(m.Authentication.Audiences) > 0 {
		c.Audience = m.Authentication.Audiences[0]
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
		return metadata{}, nil //nolint:nilerr // not a resource manager's answer
	}
	return m, nil
}
