package config

import (
	"fmt"
	"net/netip"
)

// Instances is how container groups are reached.
type Instances struct {
	// Addresses are what public groups get addresses of their own from; nil for a
	// range that only this machine and those behind it reach.
	Addresses []netip.Prefix
	// HostAddress gives all of them the machine's own address, whose ports they
	// share with the machine.
	HostAddress bool
}

// instanceSettings say how container groups are reached.
func instanceSettings() []*Setting {
	return []*Setting{
		{
			Name: "instances.addresses", Value: "NETWORK", List: true,
			Usage: "addresses that public container groups get, one each: free ones of this network, or such as are routed here (default: some that only this machine reaches)",
			set:   each(addAddresses),
		},
		{
			Name: "instances.host-address", Usage: "let public container groups have the address of this machine, and share its ports",
			Switch: true, Default: []string{"false"}, set: one(boolean(func(c *Config, v bool) { c.Instances.HostAddress = v })),
		},
	}
}

func addAddresses(c *Config, v string) error {
	if err := addNetwork(func(c *Config) *[]netip.Prefix { return &c.Instances.Addresses })(c, v); err != nil {
		return err
	}
	p := c.Instances.Addresses[len(c.Instances.Addresses)-1]
	if a := p.Addr(); !a.Is4() || p.Bits() < 8 || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast() || a.IsUnspecified() {
		return fmt.Errorf("%q is not an IPv4 network that others can reach, as 192.168.7.128/28", v)
	}
	return nil
}
