package cli

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/drydockhq/drydock/internal/cli/profile"
)

// dialer reaches the hosts of a server also where no DNS knows them: all of
// them are at one address.
type dialer struct {
	net.Dialer
	home     string   // host of the resource manager
	suffixes []string // what the server's other hosts end with
}

// suffixesOf returns what the names of a cloud's hosts end with, without ports.
func suffixesOf(cloud profile.Cloud, manager *url.URL) (suffixes []string) {
	for _, suffix := range []string{cloud.RegistrySuffix, cloud.VaultSuffix, cloud.StorageSuffix} {
		name, _, _ := strings.Cut(suffix, ":")
		if name != "" {
			suffixes = append(suffixes, "."+strings.TrimPrefix(name, "."))
		}
	}
	if domain, ok := strings.CutPrefix(manager.Hostname(), "management."); ok {
		suffixes = append(suffixes, "."+domain)
	}
	return suffixes
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	// RFC 6761 §6.3: names below localhost are this machine, but not every
	// resolver knows.
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return d.DialContext(ctx, network, net.JoinHostPort("localhost", port))
	}
	conn, err := d.DialContext(ctx, network, address)
	var unknown *net.DNSError
	if err != nil && errors.As(err, &unknown) && d.isOurs(host) {
		if conn, err := d.DialContext(ctx, network, net.JoinHostPort(d.home, port)); err == nil {
			return conn, nil
		}
	}
	return conn, err
}

func (d *dialer) isOurs(host string) bool {
	if host == d.home {
		return false
	}
	for _, suffix := range d.suffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
