package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpproxy"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/source/egress"
)

// openEgress returns how the hosts are reached that runs name. The server's own
// registries are reached through its listener, whatever their names resolve to,
// and nothing else of it is.
func (d *daemon) openEgress() *egress.Network {
	own := d.ownTransport()
	local := d.local(d.listener.Addr())
	network := egress.New(egress.Options{
		Policy: egress.Policy{Allow: d.config.SourceAllow, Self: d.self()},
		Proxy:  proxyFunc(d.environ), CAs: d.config.CAs, Insecure: d.config.Insecure,
		Own: func(host string) http.RoundTripper {
			if _, ok := local(host); ok {
				return own
			}
			return nil
		},
	})
	d.closing(func() error {
		own.CloseIdleConnections()
		network.CloseIdleConnections()
		return nil
	})
	return network
}

// proxyFunc returns the proxy for a URL as an environment has it.
func proxyFunc(environ []string) func(*url.URL) (*url.URL, error) {
	variables := map[string]string{}
	for _, text := range environ {
		name, value, _ := strings.Cut(text, "=")
		if value != "" {
			variables[strings.ToUpper(name)] = value
		}
	}
	return (&httpproxy.Config{
		HTTPProxy: variables["HTTP_PROXY"], HTTPSProxy: variables["HTTPS_PROXY"], NoProxy: variables["NO_PROXY"],
	}).ProxyFunc()
}

// self is this server, to which it connects for nobody.
func (d *daemon) self() drydock.Self {
	return drydock.Self{Listens: d.isOwn, Named: func(host string) bool { return d.names.kind(host) != "" }}
}

// isOwn reports whether an address is the server's listener.
func (d *daemon) isOwn(to netip.AddrPort) bool {
	own, ok := d.listener.Addr().(*net.TCPAddr)
	if !ok || int(to.Port()) != own.Port {
		return false
	}
	if !own.IP.IsUnspecified() {
		return own.IP.Equal(to.Addr().AsSlice())
	}
	if to.Addr().IsLoopback() {
		return true
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return true // it can't be ruled out
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(to.Addr().AsSlice()) {
			return true
		}
	}
	return false
}

// connectCommand is for ssh, which speaks to no proxy itself; see
// source.Fetcher.Connect.
func (p *program) connectCommand() *cobra.Command {
	return &cobra.Command{
		Use: "connect HOST PORT", Hidden: true, Args: usage(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			proxy := ""
			for _, text := range p.environ {
				if value, ok := strings.CutPrefix(text, egress.AddressVariable+"="); ok {
					proxy = value
				}
			}
			if proxy == "" {
				return drydock.Errorf(drydock.Invalid, "this command is for the server's own use")
			}
			return egress.Connect(cmd.Context(), proxy, net.JoinHostPort(args[0], args[1]), p.stdin, p.stdout)
		},
	}
}

// guardBuilds makes the git of builds, which BuildKit starts by its name, one
// that is enclosed. It changes the PATH of this process.
func (d *daemon) guardBuilds(ctx context.Context) error {
	git, err := exec.LookPath("git")
	if err != nil {
		return nil // builds have none either
	}
	own, err := ownProgram()
	if err != nil {
		return err
	}
	enclosure, err := d.network.Enclose(ctx)
	if err != nil {
		return err
	}
	d.closing(enclosure.Close)
	dir := d.path(programsFolder)
	script := enterScript(own, enclosure.Namespace(), enclosure.Address(), git)
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "git"), script, 0o755)); err != nil {
		return drydock.Errorf(drydock.Unavailable, "making a folder for programs: %w", err)
	}
	return os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// enterScript is a script that makes itself git in an enclosure.
func enterScript(own, namespace, address, git string) []byte {
	line := "#!/bin/sh\nexec"
	for _, word := range []string{own, "enter", namespace, address, git} {
		line += " " + egress.Quote(word)
	}
	return []byte(line + " \"$@\"\n")
}

// enterCommand is what the git of builds is; see guardBuilds.
func (p *program) enterCommand() *cobra.Command {
	return &cobra.Command{
		Use: "enter NAMESPACE ADDRESS PROGRAM [ARGUMENT]...", Hidden: true, DisableFlagParsing: true, Args: usage(cobra.MinimumNArgs(3)),
		RunE: func(_ *cobra.Command, args []string) error {
			own, err := ownProgram()
			if err != nil {
				return err
			}
			return egress.Enter(args[0], args[1], own, args[2], args[3:], p.environ)
		},
	}
}

// ownProgram returns the path of this program.
func ownProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", drydock.Errorf(drydock.Unavailable, "finding this program: %w", err)
	}
	return path, nil
}
