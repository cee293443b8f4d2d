package source

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/drydockhq/drydock"
)

// systemBundles are where systems keep the certificates that they trust.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
}

// baseConfig is for every git: no programs of a repository's, and no work beside
// what is asked for.
var baseConfig = [][2]string{
	{"core.hooksPath", "/dev/null"},
	{"core.fsmonitor", "false"},
	{"gc.auto", "0"},
	{"advice.detachedHead", "false"},
	{"maintenance.auto", "false"},
}

// gitConfig returns the variables with git's configuration.
func (f *Fetcher) gitConfig(home string) ([]string, error) {
	config := slices.Clone(baseConfig)
	for _, host := range f.Insecure {
		config = append(config, [2]string{"http.https://" + host + "/.sslVerify", "false"})
	}
	if len(f.CAs) > 0 {
		more, err := f.trustConfig(home)
		if err != nil {
			return nil, err
		}
		config = append(config, more...)
	}
	return configEnv(config), nil
}

func configEnv(config [][2]string) []string {
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config))}
	for i, pair := range config {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, pair[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, pair[1]))
	}
	return env
}

// trustConfig makes the files with the certificates that git trusts. A file
// stands in the place of the system's, so it has those too.
func (f *Fetcher) trustConfig(home string) ([][2]string, error) {
	system, err := f.systemBundle()
	if err != nil {
		return nil, drydock.Errorf(drydock.Unavailable, "reading the certificates that this machine trusts: %w", err)
	}
	common := append(append(system, '\n'), f.CAs[""]...)
	var config [][2]string
	for i, host := range append([]string{""}, slices.Sorted(maps.Keys(f.CAs))...) {
		key, pem := "http.sslCAInfo", common
		if host != "" {
			key, pem = "http.https://"+host+"/.sslCAInfo", slices.Concat(common, f.CAs[host])
		} else if i > 0 {
			continue
		}
		file := filepath.Join(home, fmt.Sprintf("ca-%d.pem", i))
		if err := os.WriteFile(file, pem, 0o600); err != nil {
			return nil, drydock.Errorf(drydock.Unavailable, "making a home for git: %w", err)
		}
		config = append(config, [2]string{key, file})
	}
	return config, nil
}

// systemBundle returns the certificates that git would trust by itself; none for
// a machine without.
func (f *Fetcher) systemBundle() ([]byte, error) {
	for _, name := range []string{"GIT_SSL_CAINFO", "SSL_CERT_FILE"} {
		if file := f.env(name); file != "" {
			return os.ReadFile(file)
		}
	}
	for _, file := range systemBundles {
		text, err := os.ReadFile(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return bytes.Clone(text), err
		}
	}
	return nil, nil
}
