package drydock

import (
	"context"
	"net"
	"net/netip"
)

// RunHosts are hosts that answer in the network of one run, or one container
// group, by their names and at
// the address of a cloud's metadata, whatever they are elsewhere. Who answers knows
// by that which run asks: nothing else has a way there. They end with the run.
type RunHosts struct {
	// Has reports whether a name is one of them. It is in lower case, without a
	// final dot.
	Has func(name string) bool
	// Address returns the address of a name that is something else's on this
	// machine; it may be nil. Names are as those of Has, which comes first.
	Address func(name string) (netip.Addr, bool)
	// Port is one beside 443 at which they answer; 0 for none.
	Port int
	// Secure takes over connections to the hosts, and Metadata those to port 80 of
	// 169.254.169.254. They return at once. The connections are broken
	// when the run ends, if they are not closed before.
	Secure, Metadata func(net.Conn)
	// Env are variables of each container, as NAME=value; a step may set them to
	// something else.
	Env []string
	// Secrets are what of Env must not appear in logs.
	Secrets []string
	// Vouch returns what the run itself signs in to a registry with in place of a
	// login that a step has made: that may be good in the network of the run only.
	// It may be nil. An error of code NotFound says that the registry is one of
	// these hosts but not there.
	Vouch func(ctx context.Context, c Credential) (Credential, error)
	// Confine is the reverse, with the same errors: what steps are shown of a login
	// of the run, good in its network only. Without it they are not to see any. It
	// may be nil.
	Confine func(ctx context.Context, c Credential) (Credential, error)
	// CAs are certificates in PEM form that containers trust beside those of their
	// images.
	CAs []byte
}
