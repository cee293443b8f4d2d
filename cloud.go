package drydock

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strings"
)

// HostKind is what answers at a host.
type HostKind string

// The kinds of hosts. There is one of each of the first three in a cloud, and any
// number of the others.
const (
	ManagementHost HostKind = "management"
	LoginHost      HostKind = "login"
	GraphHost      HostKind = "graph"
	RegistryKind   HostKind = "azurecr"
	VaultKind      HostKind = "vault"
	BlobKind       HostKind = "blob"
)

// Cloud is a set of names by which clients know the services of Drydock: those
// below the server's own domain, or those of one of Azure's clouds, which are built
// into clients. Hosts are in lower case, with their port unless that is 443.
type Cloud struct {
	Name       string // as `az cloud set --name` takes it
	Management string
	Login      string
	Graph      string
	Registries string // what follows "NAME."
	Vaults     string
	Blobs      string
	// Aliases are further hosts that clients may use instead of the others.
	Aliases map[HostKind][]string
	// Resources are what clients call services when they ask for tokens, beside
	// their hosts: hosts too, which nobody connects to.
	Resources map[HostKind][]string
}

// Host returns a host; name is empty for a kind that there is one of.
func (c Cloud) Host(kind HostKind, name string) string {
	switch kind {
	case ManagementHost:
		return c.Management
	case LoginHost:
		return c.Login
	case GraphHost:
		return c.Graph
	}
	return strings.ToLower(name) + "." + c.Suffix(kind)
}

// URL returns the URL of a host, without a final slash.
func (c Cloud) URL(kind HostKind, name string) string { return "https://" + c.Host(kind, name) }

// Suffix returns what follows "NAME." in the hosts of a kind, and "" for a kind
// that there is one of.
func (c Cloud) Suffix(kind HostKind) string {
	switch kind {
	case RegistryKind:
		return c.Registries
	case VaultKind:
		return c.Vaults
	case BlobKind:
		return c.Blobs
	}
	return ""
}

// Find returns what a host is in the cloud, and false for one that isn't in it.
// The name is empty for a kind that there is one of.
func (c Cloud) Find(host string) (kind HostKind, name string, ok bool) {
	host = bareHost(host)
	for _, kind := range []HostKind{ManagementHost, LoginHost, GraphHost} {
		if host == bareHost(c.Host(kind, "")) || slices.Contains(c.Aliases[kind], host) {
			return kind, "", true
		}
	}
	for _, kind := range []HostKind{RegistryKind, VaultKind, BlobKind} {
		name, ok := strings.CutSuffix(host, "."+bareHost(c.Suffix(kind)))
		if ok && isLabel(name) {
			return kind, name, true
		}
	}
	return "", "", false
}

// Hosts returns all hosts of the cloud without their ports, in the form of
// certificates: with "*." where there is any number of them.
func (c Cloud) Hosts() []string {
	var hosts []string
	for _, kind := range []HostKind{ManagementHost, LoginHost, GraphHost} {
		hosts = append(append(hosts, bareHost(c.Host(kind, ""))), c.Aliases[kind]...)
	}
	for _, kind := range []HostKind{RegistryKind, VaultKind, BlobKind} {
		hosts = append(hosts, "*."+bareHost(c.Suffix(kind)))
	}
	return hosts
}

// isLabel reports whether a text is one label of a host name, in lower case.
func isLabel(text string) bool {
	odd := func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }
	return text != "" && len(text) <= 63 && strings.IndexFunc(text, odd) < 0
}

// bareHost is a host without its port, as names are compared.
func bareHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

type cloudKey struct{}

// WithCloud returns the context of a request to a host of a cloud. What is
// answered has the names of that cloud.
func WithCloud(ctx context.Context, c Cloud) context.Context {
	return context.WithValue(ctx, cloudKey{}, c)
}

// CloudOf returns the cloud that a request was made to, and own for contexts
// without one.
func CloudOf(ctx context.Context, own Cloud) Cloud {
	c, _ := ctx.Value(cloudKey{}).(Cloud)
	if c.Name == "" {
		return own
	}
	return c
}

// Audiences returns what clients may call a service of the cloud when they ask for
// a token: URLs without a final slash.
func (c Cloud) Audiences(kind HostKind) []string {
	var urls []string
	if host := cmp.Or(c.Suffix(kind), c.Host(kind, "")); host != "" {
		urls = append(urls, "https://"+host)
	}
	for _, host := range append(slices.Clone(c.Aliases[kind]), c.Resources[kind]...) {
		urls = append(urls, "https://"+host)
	}
	return urls
}
