package certs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
)

// TrustStore is where the programs of a machine look for certificate
// authorities.
type TrustStore struct {
	Root string // of the file system; "/" but in tests
	// Run runs a program of the system and returns its output.
	Run func(ctx context.Context, program string, args ...string) ([]byte, error)
}

// System is the trust store of this machine.
func System() *TrustStore {
	return &TrustStore{Root: "/", Run: func(ctx context.Context, program string, args ...string) ([]byte, error) {
		return exec.CommandContext(ctx, program, args...).CombinedOutput()
	}}
}

// systemStores are where distributions keep authorities that are added, and what
// makes them count.
var systemStores = []struct{ dir, program, argument string }{
	{"/usr/local/share/ca-certificates", "update-ca-certificates", ""}, // Debian, Ubuntu, Alpine
	{"/etc/pki/ca-trust/source/anchors", "update-ca-trust", "extract"}, // Fedora, RHEL
	{"/etc/pki/trust/anchors", "update-ca-certificates", ""},           // SUSE
	{"/etc/ca-certificates/trust-source/anchors", "trust", "extract-compat"},
}

// fileName is the name of a domain's authority in a store.
func fileName(domain string) string { return "drydock-" + domain + ".crt" }

// Add puts an authority where the system looks, and returns what it wrote.
func (t *TrustStore) Add(ctx context.Context, domain string, pem []byte) (string, error) {
	for _, s := range systemStores {
		dir := filepath.Join(t.Root, s.dir)
		if !isDir(dir) {
			continue
		}
		file := filepath.Join(dir, fileName(domain))
		if err := os.WriteFile(file, pem, 0o644); err != nil {
			return "", denied(err)
		}
		return file, t.refresh(ctx, s.program, s.argument)
	}
	return "", drydock.Errorf(drydock.Unavailable, "this system keeps its certificate authorities in no place that is known").
		WithHint("apt-get install ca-certificates, or add the file ca.pem of the data folder by hand")
}

// Remove takes an authority out of the system's store.
func (t *TrustStore) Remove(ctx context.Context, domain string) error {
	for _, s := range systemStores {
		err := os.Remove(filepath.Join(t.Root, s.dir, fileName(domain)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return denied(err)
		}
		if err := t.refresh(ctx, s.program, s.argument); err != nil {
			return err
		}
	}
	return nil
}

// refresh makes a change of the store count.
func (t *TrustStore) refresh(ctx context.Context, program, argument string) error {
	out, err := t.Run(ctx, program, strings.Fields(argument)...)
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "running %s: %w: %s", program, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// dockerFolder is where Docker looks for the authorities of registries.
const dockerFolder = "etc/docker/certs.d"

// AddDocker puts an authority where Docker looks for that of a registry's host.
// Unlike for the system's store, a running Docker sees it at once.
func (t *TrustStore) AddDocker(host string, pem []byte) (string, error) {
	if !validHost(host) {
		return "", drydock.Errorf(drydock.Invalid, "%q is not a host", host)
	}
	dir := filepath.Join(t.Root, dockerFolder, host)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", denied(err)
	}
	file := filepath.Join(dir, fileName("ca"))
	if err := os.WriteFile(file, pem, 0o644); err != nil {
		return "", denied(err)
	}
	return file, nil
}

// RemoveDocker takes away what AddDocker added for all hosts below a domain.
func (t *TrustStore) RemoveDocker(domain string) error {
	dirs, err := filepath.Glob(filepath.Join(t.Root, dockerFolder, "*"))
	if err != nil {
		return fmt.Errorf("looking for Docker's certificates: %w", err)
	}
	for _, dir := range dirs {
		host, _, _ := strings.Cut(filepath.Base(dir), ":")
		if !strings.HasSuffix(host, "."+domain) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, fileName("ca"))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return denied(err)
		}
		_ = os.Remove(dir) // it stays when there is something of others in it
	}
	return nil
}

func denied(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return drydock.Errorf(drydock.Denied, "changing what this machine trusts: %w", err).WithHint("run it with sudo")
	}
	return fmt.Errorf("changing what this machine trusts: %w", err)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func validHost(host string) bool {
	return host != "" && !strings.ContainsAny(host, "/\\ ") && !strings.HasPrefix(host, ".")
}
