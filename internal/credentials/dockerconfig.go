package credentials

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"

	"github.com/drydockhq/drydock"
)

// Environment is what finds a user's Docker configuration.
type Environment struct {
	Env  []string // NAME=value, as os.Environ
	EUID int      // as os.Geteuid
	// LookupUser returns a user by name and the ids of all its groups; nil asks
	// the machine.
	LookupUser func(name string) (*user.User, []string, error)
}

// DockerConfig returns a keychain of the user's Docker configuration:
// $DOCKER_AUTH_CONFIG, then $DOCKER_CONFIG/config.json or, without that
// variable, ~/.docker/config.json. For root behind sudo it is first that of the
// user who called sudo, then root's own. Credential helpers run as the user
// whose configuration names them. Files are read once, when they are first
// needed; a missing one is an empty one.
func DockerConfig(env Environment) (Keychain, error) {
	caller, err := env.caller()
	if err != nil {
		return nil, err
	}
	var chained []Keychain
	if text := env.get("DOCKER_AUTH_CONFIG"); text != "" {
		chained = append(chained, &configFile{name: "$DOCKER_AUTH_CONFIG", read: func() ([]byte, error) { return []byte(text), nil }})
	}
	for _, f := range env.files(caller) {
		chained = append(chained, f)
	}
	return Chain(chained...), nil
}

// files returns the configuration files to look at, strongest first.
func (e Environment) files(caller *account) []*configFile {
	own := helperRunner{env: e.Env}
	callers := own
	if caller != nil {
		callers = helperRunner{env: caller.environment(e.Env), as: caller}
	}
	if dir := e.get("DOCKER_CONFIG"); dir != "" {
		return []*configFile{newConfigFile(dir, callers)}
	}
	var files []*configFile
	if caller != nil {
		files = append(files, newConfigFile(filepath.Join(caller.home, ".docker"), callers))
	}
	if home := e.get("HOME"); home != "" && (caller == nil || home != caller.home) {
		files = append(files, newConfigFile(filepath.Join(home, ".docker"), own))
	}
	return files
}

// get returns a variable, "" when it is not set.
func (e Environment) get(name string) string { return getenv(e.Env, name) }

func getenv(env []string, name string) string {
	for _, v := range slices.Backward(env) {
		if n, value, ok := strings.Cut(v, "="); ok && n == name {
			return value
		}
	}
	return ""
}

// configFile is one Docker configuration.
type configFile struct {
	name   string
	read   func() ([]byte, error)
	runner helperRunner

	once  sync.Once
	err   error
	auths map[string]types.AuthConfig // by server as written
	store string                      // credsStore
	hosts map[string]string           // credHelpers by Host
}

func newConfigFile(dir string, runner helperRunner) *configFile {
	name := filepath.Join(dir, "config.json")
	return &configFile{name: name, runner: runner, read: func() ([]byte, error) { return os.ReadFile(name) }}
}

// load reads the configuration once.
func (f *configFile) load() error {
	f.once.Do(func() { f.err = f.parse() })
	return f.err
}

func (f *configFile) parse() error {
	data, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return drydock.Errorf(drydock.Unavailable, "reading the Docker configuration: %w", err)
	}
	file := configfile.New(f.name)
	if err := file.LoadFromReader(bytes.NewReader(data)); err != nil {
		problem := "has an auth that is not base64 of USER:PASSWORD"
		if json.Unmarshal(data, &configfile.ConfigFile{}) != nil {
			problem = jsonProblem(err)
		}
		return drydock.Errorf(drydock.Invalid, "the Docker configuration %s %s", f.name, problem)
	}
	f.auths, f.store, f.hosts = file.AuthConfigs, file.CredentialsStore, map[string]string{}
	for server, helper := range file.CredentialHelpers {
		f.hosts[Host(server)] = helper
	}
	return nil
}

// Lookup implements Keychain. A helper is asked first, then the file itself.
func (f *configFile) Lookup(ctx context.Context, registry string) (Credential, bool, error) {
	if err := f.load(); err != nil {
		return Credential{}, false, err
	}
	host := Host(registry)
	helper, ok := f.hosts[host]
	if !ok {
		helper = f.store
	}
	if helper != "" {
		cred, ok, err := f.runner.get(ctx, helper, f.server(host))
		if ok || err != nil {
			return cred, ok, err
		}
	}
	cred, ok := f.stored(host)
	return cred, ok, nil
}

// server returns the name that a helper knows a registry by.
func (f *configFile) server(host string) string {
	if host == DockerHub {
		return DockerHubServer
	}
	return host
}

// stored returns what the file itself has for a host. An entry for the bare host
// is stronger than a URL or path in it.
func (f *configFile) stored(host string) (Credential, bool) {
	var servers []string
	for server := range f.auths {
		if Host(server) == host {
			servers = append(servers, server)
		}
	}
	slices.SortFunc(servers, func(a, b string) int {
		if n := len(a) - len(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, server := range servers {
		a := f.auths[server]
		switch {
		case a.IdentityToken != "":
			return Credential{Secret: a.IdentityToken, From: f.name}, true
		case a.Username != "":
			return Credential{Username: a.Username, Secret: a.Password, From: f.name}, true
		}
	}
	return Credential{}, false
}
