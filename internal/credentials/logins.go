package credentials

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/docker/cli/cli/config/configfile"
	"github.com/docker/cli/cli/config/types"

	"github.com/drydockhq/drydock"
)

// Logins are the credentials that `docker login` adds in a run. The zero value
// has none. Its methods may be called from several goroutines.
type Logins struct {
	mu     sync.Mutex
	byHost map[string]drydock.Credential
}

var _ Keychain = (*Logins)(nil)

// Add sets the credential of a registry.
func (l *Logins) Add(registry, username, password string) {
	host := Host(registry)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byHost == nil {
		l.byHost = map[string]drydock.Credential{}
	}
	l.byHost[host] = drydock.Credential{Registry: host, Username: username, Password: password}
}

// Remove forgets the credential of a registry and reports whether there was one.
func (l *Logins) Remove(registry string) bool {
	host := Host(registry)
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.byHost[host]
	delete(l.byHost, host)
	return ok
}

// Lookup implements Keychain.
func (l *Logins) Lookup(_ context.Context, registry string) (Credential, bool, error) {
	host := Host(registry)
	l.mu.Lock()
	defer l.mu.Unlock()
	c, ok := l.byHost[host]
	return Credential{Username: c.Username, Secret: c.Password, From: "docker login"}, ok, nil
}

// All returns the credentials, sorted by registry.
func (l *Logins) All() []drydock.Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]drydock.Credential, 0, len(l.byHost))
	for _, c := range l.byHost {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b drydock.Credential) int { return cmp.Compare(a.Registry, b.Registry) })
	return all
}

// ConfigJSON returns the contents of a `.docker/config.json` with credentials,
// of which the first for a registry counts. The file must be for its owner only.
func ConfigJSON(creds ...drydock.Credential) ([]byte, error) {
	file := configfile.New("")
	for _, c := range creds {
		key := Host(c.Registry)
		if key == DockerHub {
			key = DockerHubServer
		}
		if _, ok := file.AuthConfigs[key]; ok {
			continue
		}
		auth := types.AuthConfig{Username: c.Username, Password: c.Password}
		if c.Username == "" {
			auth = types.AuthConfig{IdentityToken: c.Password}
		}
		file.AuthConfigs[key] = auth
	}
	var b bytes.Buffer
	if err := file.SaveToWriter(&b); err != nil {
		return nil, fmt.Errorf("encoding the registry logins: %w", err)
	}
	return append(b.Bytes(), '\n'), nil
}
