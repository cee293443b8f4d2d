package buildkit

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/sshforward/sshprovider"

	"github.com/drydockhq/drydock"
)

// secretStore answers `RUN --mount=type=secret`.
type secretStore map[string][]byte

// GetSecret implements secrets.SecretStore.
func (s secretStore) GetSecret(_ context.Context, id string) ([]byte, error) {
	data, ok := s[id]
	if !ok {
		return nil, fmt.Errorf("secret %s: %w", id, secrets.ErrNotFound)
	}
	return data, nil
}

// tell has the secrets masked in the log.
func (s secretStore) tell(mask func(values ...string)) {
	for _, data := range s {
		if mask != nil {
			mask(string(data))
		}
	}
}

// secrets reads what --secret names: variables of the step and files of the
// workspace.
func (b *build) secrets() (secretStore, error) {
	store := secretStore{}
	for _, secret := range b.Flags.Secrets {
		if value, ok := lookupEnv(b.Env, secret.Env); ok && secret.Env != "" {
			store[secret.ID] = []byte(value)
			continue
		}
		if value, ok := lookupEnv(b.Env, secret.ID); ok && secret.Env == "" && secret.Src == "" {
			store[secret.ID] = []byte(value)
			continue
		}
		if secret.Env != "" {
			return nil, drydock.Errorf(drydock.Invalid, "secret %s: the step has no variable %s", secret.ID, secret.Env)
		}
		name := secret.Src
		if name == "" {
			name = secret.ID
		}
		data, err := b.readFile(name)
		if err != nil {
			return nil, fmt.Errorf("secret %s: %w", secret.ID, err)
		}
		store[secret.ID] = data
	}
	return store, nil
}

// maxSecret is BuildKit's own limit for a secret.
const maxSecret = 500 << 10

func (b *build) readFile(name string) ([]byte, error) {
	in, rel, err := b.context.find(b, name)
	if err != nil {
		return nil, err
	}
	f, err := openFile(in, rel, name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, maxSecret+1)
	n, err := readFull(f, data)
	if err != nil {
		return nil, drydock.Errorf(drydock.Failed, "reading %q: %w", name, withoutDir(err))
	}
	if n > maxSecret {
		return nil, drydock.Errorf(drydock.Invalid, "%q is larger than %d bytes", name, maxSecret)
	}
	return data[:n], nil
}

// sshAgents serves keys of the workspace. There is no agent of this machine
// for a task to use.
func (b *build) sshAgents() (bksession.Attachable, error) {
	var configs []sshprovider.AgentConfig
	for _, ssh := range b.Flags.SSH {
		if len(ssh.Paths) == 0 {
			return nil, drydock.Errorf(drydock.Invalid, "--ssh %s: a task has no SSH agent", ssh.ID).
				WithHint("name a key in the workspace: --ssh %s=FILE", ssh.ID)
		}
		config := sshprovider.AgentConfig{ID: ssh.ID}
		for _, path := range ssh.Paths {
			data, err := b.readFile(path)
			if err != nil {
				return nil, fmt.Errorf("--ssh %s: %w", ssh.ID, err)
			}
			copied, err := b.context.privateFile(data)
			if err != nil {
				return nil, fmt.Errorf("--ssh %s: %w", ssh.ID, err)
			}
			config.Paths = append(config.Paths, copied)
		}
		configs = append(configs, config)
	}
	agents, err := sshprovider.NewSSHAgentProvider(configs)
	if err != nil {
		return nil, drydock.Errorf(drydock.Invalid, "--ssh: %w", err)
	}
	return agents, nil
}

// lookupEnv finds a variable in NAME=value pairs; the last one counts.
func lookupEnv(env []string, name string) (string, bool) {
	for _, pair := range slices.Backward(env) {
		if key, value, ok := strings.Cut(pair, "="); ok && key == name {
			return value, true
		}
	}
	return "", false
}
