package buildflags

import (
	"net/netip"
	"strings"
)

// inputFlags are those that say what the Dockerfile is given.
func (p *parser) inputFlags() {
	b := p.build
	p.value("file", "f", func(v string) error {
		if v == "" {
			return invalid("the name is empty")
		}
		b.Dockerfile = v
		return nil
	})
	p.value("build-arg", "", func(v string) error { return addArg(&b.Args, v) })
	p.value("secret-build-arg", "", func(v string) error { return addArg(&b.SecretArgs, v) })
	p.value("build-context", "", func(v string) error { return addContext(&b.BuildContexts, v) })
	p.value("secret", "", func(v string) error { return addSecret(&b.Secrets, v) })
	p.value("ssh", "", func(v string) error { return addSSH(&b.SSH, v) })
	p.value("network", "", func(v string) error { return setNetwork(&b.Network, v) })
	p.value("add-host", "", func(v string) error { return addHost(&b.AddHosts, v) })
	p.flags.BoolVar(&b.Pull, "pull", false, "")
}

// addArg reads NAME or NAME=VALUE.
func addArg(args *[]Arg, v string) error {
	name, value, ok := strings.Cut(v, "=")
	if strings.TrimSpace(name) == "" {
		return invalid("the name is empty").WithHint("write NAME=VALUE")
	}
	*args = append(*args, Arg{Name: name, Value: value, HasValue: ok})
	return nil
}

func addContext(contexts *[]Arg, v string) error {
	name, value, _ := strings.Cut(v, "=")
	if name == "" || value == "" {
		return invalid("%q is not a named context", v).WithHint("write NAME=FOLDER or NAME=docker-image://IMAGE")
	}
	*contexts = append(*contexts, Arg{Name: name, Value: value, HasValue: true})
	return nil
}

func setNetwork(network *string, v string) error {
	switch v {
	case "default", "none", "host":
		*network = v
		return nil
	}
	return invalid("%q is not a network of a build", v).WithHint("it is default, none or host")
}

// addHost reads HOST:IP or HOST=IP, the address of IPv6 with or without
// brackets.
func addHost(hosts *[]string, v string) error {
	i := strings.IndexAny(v, ":=")
	if i <= 0 {
		return invalid("%q is not a host with its address", v).WithHint("write HOST:IP")
	}
	host, address := v[:i], v[i+1:]
	if address == "host-gateway" {
		return invalid("host-gateway: a build can't reach the machine that it runs on").WithHint("give an address")
	}
	if strings.HasPrefix(address, "[") && strings.HasSuffix(address, "]") {
		address = address[1 : len(address)-1]
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return invalid("%q is not an IP address", address).WithHint("write HOST:IP")
	}
	*hosts = append(*hosts, host+":"+ip.String())
	return nil
}
