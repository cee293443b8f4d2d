package cli

import (
	"context"
	"net/url"
	"os"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/cli/profile"
)

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
		ActiveDirectory: "https://login." + domain, MicrosoftGraph: "https://graph." + domain + "/",
		RegistrySuffix: ".azurecr." + domain, VaultSuffix: ".vault." + domain, StorageSuffix: domain,
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
