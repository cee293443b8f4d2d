package buildkit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Where a container finds what it trusts: all of it, and the certificates of the
// run's hosts alone, for programs that add them to their own.
const (
	trustFile = "/run/drydock/ca-certificates.crt"
	hostsFile = "/run/drydock/ca.crt"
)

// trustVariables name trustFile to OpenSSL and Go, Python's requests and the Azure
// CLI, and curl, unless that is for the image to say.
var trustVariables = []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}

// bundleFiles are where distributions keep what they trust.
var bundleFiles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// maxBundle bounds what is read of an image's certificates: those of distributions
// are a quarter of a megabyte.
const maxBundle = 8 << 20

// hostsEnv returns the variables by which programs find the run's hosts and trust
// them.
func (c *container) hostsEnv() []string {
	hosts := c.session.spec.Hosts
	if hosts == nil {
		return nil
	}
	env := slices.Clone(hosts.Env)
	if len(hosts.CAs) > 0 {
		for _, name := range trustVariables {
			env = append(env, name+"="+trustFile)
		}
		env = append(env, "NODE_EXTRA_CA_CERTS="+hostsFile)
	}
	return env
}

// trusts reports whether the container is given certificates.
func (c *container) trusts() bool {
	hosts := c.session.spec.Hosts
	return hosts != nil && len(hosts.CAs) > 0
}

// writeTrust writes what the container trusts: what its image does, or this
// machine if that has nothing, and the run's hosts.
func (c *container) writeTrust() error {
	if !c.trusts() {
		return nil
	}
	hosts := c.session.spec.Hosts.CAs
	all := append(append(c.imageTrust(), '\n'), hosts...)
	for name, text := range map[string][]byte{trustFile: all, hostsFile: hosts} {
		if err := os.WriteFile(filepath.Join(c.bundle, filepath.Base(name)), text, 0o644); err != nil {
			return fmt.Errorf("writing what the container trusts: %w", err)
		}
	}
	return nil
}

// imageTrust returns the certificates of the image: those that its own variable
// names, or the first of the usual files that is there.
func (c *container) imageTrust() []byte {
	files := bundleFiles
	for _, kv := range c.config.Config.Env {
		if file, ok := strings.CutPrefix(kv, trustVariables[0]+"="); ok && file != "" {
			files = append([]string{file}, files...)
		}
	}
	for _, file := range files {
		if text, err := readBelow(c.rootfs(), file); err == nil && len(text) > 0 {
			return text
		}
	}
	return machineTrust()
}

// readBelow reads a file of an image, whose links lead nowhere outside of it.
func readBelow(root, name string) (_ []byte, err error) {
	below, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer below.Close()
	path, err := resolveBelow(below, name)
	if err != nil {
		return nil, err
	}
	// Before it is opened: that of a pipe would wait for somebody to write.
	if info, err := below.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > maxBundle {
		return nil, errors.Join(err, os.ErrInvalid)
	}
	f, err := below.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, maxBundle))
}

// mostLinks bounds the links to a file, as the kernel does.
const mostLinks = 40

// resolveBelow follows the links of a path as a process in the image would: one
// that is absolute begins at the image's root.
func resolveBelow(root *os.Root, name string) (string, error) {
	rest := strings.Split(strings.Trim(filepath.Clean("/"+name), "/"), "/")
	at := ""
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		rest = rest[1:]
		info, err := root.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = next
			continue
		}
		target, err := root.Readlink(next)
		if links++; err != nil || links > mostLinks {
			return "", errors.Join(err, os.ErrInvalid)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join("/", at, target)
		}
		rest = append(strings.Split(strings.Trim(filepath.Clean(target), "/"), "/"), rest...)
		at = ""
	}
	return at, nil
}

// trustMounts mounts what writeTrust wrote.
func (c *container) trustMounts() []specs.Mount {
	if !c.trusts() {
		return nil
	}
	var mounts []specs.Mount
	for _, name := range []string{trustFile, hostsFile} {
		mounts = append(mounts, specs.Mount{
			Destination: name, Type: "bind", Source: filepath.Join(c.bundle, filepath.Base(name)),
			Options: []string{"rbind", "rprivate", "ro", "nosuid", "nodev", "noexec"},
		})
	}
	return mounts
}
