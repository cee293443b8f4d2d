package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Azure says who reaches the server by the names of Azure's clouds.
type Azure struct {
	// Proxy is the address and port, on loopback, of the proxy for clients on this
	// machine; empty for none.
	Proxy string
	// Pass are the hosts that the proxy lets through: in lower case, "*.DOMAIN" for
	// those below a domain, "*" for all.
	Pass []string
	// Real are the tasks whose runs reach the real Azure: "REGISTRY/TASK", with "*"
	// for any registry or task, in lower case.
	Real []string
}

// azureSettings say who reaches the server by the names of Azure's clouds.
func azureSettings() []*Setting {
	return []*Setting{
		{
			Name: "azure.proxy", Option: "proxy", Value: "ADDRESS",
			Usage: "serve a proxy for clients on this machine at ADDRESS, which answers for the hosts of Azure's clouds and this server's own (default: none)",
			set:   one(setAzureProxy),
		},
		{
			Name: "azure.pass", Value: "HOST", Usage: "other hosts that the proxy lets through, as *.example.com, or * for all", List: true,
			set: each(addPass),
		},
		{
			Name: "azure.real", Value: "REGISTRY/TASK", Usage: "let runs of a task reach the real Azure instead of this server, as contoso/deploy or contoso/*", List: true,
			set: each(addReal),
		},
	}
}

func setAzureProxy(c *Config, v string) error {
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("it is not of the form ADDRESS:PORT, as 127.0.0.1:8888")
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is not a port", port)
	}
	addr, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !addr.Unmap().IsLoopback()) {
		return errors.New("the proxy is for this machine alone: its address is one of loopback, as 127.0.0.1:8888")
	}
	c.Azure.Proxy = v
	return nil
}

func addPass(c *Config, v string) error {
	v = strings.ToLower(strings.TrimSuffix(v, "."))
	name := strings.TrimPrefix(v, "*.")
	if v != "*" && !domainForm.MatchString(name) {
		return fmt.Errorf("%q is neither a host, as example.com, nor *.DOMAIN or *", v)
	}
	c.Azure.Pass = append(c.Azure.Pass, v)
	return nil
}

var realForm = regexp.MustCompile(`^(\*|[a-z0-9]{5,50})/(\*|[a-z0-9_-]{5,50})$`)

func addReal(c *Config, v string) error {
	v = strings.ToLower(v)
	if !realForm.MatchString(v) {
		return fmt.Errorf("%q is not of the form REGISTRY/TASK, as contoso/deploy or contoso/*", v)
	}
	c.Azure.Real = append(c.Azure.Real, v)
	return nil
}

// IsReal reports whether runs of a task reach the real Azure. A run of no task is
// one of a registry all of whose tasks do.
func (a Azure) IsReal(registry, task string) bool {
	registry, task = strings.ToLower(registry), strings.ToLower(task)
	for _, pattern := range a.Real {
		r, t, _ := strings.Cut(pattern, "/")
		if (r == "*" || r == registry) && (t == "*" || t == task) {
			return true
		}
	}
	return false
}
