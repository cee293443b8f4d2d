package vault

import (
	"net"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock"
)

// Name is where a secret is, as its URL says.
type Name struct {
	Host    string // with its port if it has one
	Vault   string
	Secret  string
	Version string // empty for the newest
	Ours    bool   // the host is one of this server's own domain
}

// ParseURL parses the URL of a secret:
// https://VAULT.vault.azure.net/secrets/NAME[/VERSION], or one with the host of a
// vault in another cloud of Azure or at this server, whose vaults have the hosts
// "NAME."+suffix. Everything else is an error with code Invalid.
func ParseURL(text, suffix string) (Name, error) {
	bad := func(why string) error {
		return drydock.Errorf(drydock.Invalid, "%q is not the URL of a vault's secret: %s", shownURL(text), why).
			WithHint("it has the form https://VAULT.vault.azure.net/secrets/NAME")
	}
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil || u.Scheme != "https" || u.Host == "":
		return Name{}, bad("it does not begin with https:// and a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return Name{}, bad("it has more than a host and a path")
	}
	n := Name{Host: strings.ToLower(u.Host)}
	own := drydock.Cloud{Vaults: suffix}
	kind, name, known := own.Find(n.Host)
	if n.Ours = known && kind == drydock.VaultKind; !n.Ours {
		_, kind, name, known = drydock.AzureHost(n.Host)
		n.Host = strings.TrimSuffix(n.Host, ":443")
		if known && strings.Contains(n.Host, ":") {
			return Name{}, bad("Azure has its vaults at port 443 only")
		}
	}
	if !known || kind != drydock.VaultKind {
		return Name{}, bad("its host is not one of a vault")
	}
	n.Vault = name
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || !sameName(parts[0], "secrets") {
		return Name{}, bad("its path is not /secrets/NAME or /secrets/NAME/VERSION")
	}
	if n.Secret = parts[1]; !secretName.MatchString(n.Secret) {
		return Name{}, bad("names of secrets have 1 to 127 letters, digits and '-'")
	}
	if len(parts) == 3 {
		if n.Version = parts[2]; !secretName.MatchString(n.Version) {
			return Name{}, bad("its version is not one")
		}
	}
	return n, nil
}

// shownURL is what of a text may be shown: people write values where URLs belong.
func shownURL(text string) string {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "…"
	}
	host := u.Hostname()
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return u.Scheme + "://" + host + shorten(u.Path)
}
