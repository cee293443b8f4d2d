package egress

import (
	"net"
	"net/http"
	"strings"

	"golang.org/x/net/idna"

	"github.com/drydockhq/drydock"
)

// ASCIIHost returns a host without a port by the name that is looked up, as
// net/http maps it (UTS #46): characters such as １ and 。 stand for those of
// ASCII, and so can be an address. Others become punycode. What is no name then is
// an error; a host in ASCII stays as it is.
func ASCIIHost(host string) (string, error) {
	if strings.IndexFunc(host, func(r rune) bool { return r >= 0x80 }) < 0 {
		return host, nil
	}
	return idna.Lookup.ToASCII(host)
}

// asciiHost is ASCIIHost with an error that has code Denied: a proxy could make
// of the host what it likes.
func (p *Policy) asciiHost(host string) (string, error) {
	mapped, err := ASCIIHost(host)
	if err != nil {
		return "", drydock.Errorf(drydock.Denied, "%s may not reach %s: it is no name of a host", p.who(), host)
	}
	return mapped, nil
}

// inASCII returns a request with its host as it is judged and as a proxy is asked
// for it: net/http would map it only after that.
func (p *Policy) inASCII(r *http.Request) (*http.Request, error) {
	named := r.URL.Hostname()
	host, err := p.asciiHost(named)
	if err != nil || host == named {
		return r, err
	}
	if port := r.URL.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	mapped := r.Clone(r.Context())
	mapped.URL.Host = host
	if r.Host == r.URL.Host {
		mapped.Host = host
	}
	return mapped, nil
}
