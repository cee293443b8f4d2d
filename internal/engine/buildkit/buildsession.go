package buildkit

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"

	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/secrets"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/moby/buildkit/sourcepolicy/policysession"

	"github.com/drydockhq/drydock"
)

// openSession opens the BuildKit session through which the solver reads a
// build's files, credentials and secrets.
func (b *build) openSession(ctx context.Context) (*bksession.Session, func(), error) {
	bk, err := bksession.NewSession(ctx, b.context.sharedKey)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a build session: %w", err)
	}
	bk.Allow(b.session.logins.attachable())
	bk.Allow(policysession.NewPolicyProvider(b.checkSource))
	bk.Allow(filesync.NewFSSyncProvider(b.context.dirs))
	if b.context.upload != nil {
		bk.Allow(b.context.upload)
	}
	store, err := b.secrets()
	if err != nil {
		return nil, nil, err
	}
	store.tell(b.session.spec.Secret)
	bk.Allow(secretsprovider.NewSecretProvider(store))
	if len(b.Flags.SSH) > 0 {
		agent, err := b.sshAgents()
		if err != nil {
			return nil, nil, err
		}
		bk.Allow(agent)
	}
	b.session.executor.runs.add(bk.ID(), b)
	closeSession := b.session.serve(ctx, bk)
	return bk, func() {
		closeSession()
		b.session.executor.runs.remove(bk.ID())
	}, nil
}

// bareSession opens a BuildKit session that knows nothing but the run's
// credentials, and returns its id.
func (s *session) bareSession(ctx context.Context) (string, func(), error) {
	bk, err := bksession.NewSession(ctx, "")
	if err != nil {
		return "", nil, fmt.Errorf("opening an image session: %w", err)
	}
	bk.Allow(s.logins.attachable())
	return bk.ID(), s.serve(ctx, bk), nil
}

// serve joins a BuildKit session to the session manager until the returned
// function is called.
func (s *session) serve(ctx context.Context, bk *bksession.Session) func() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		_ = bk.Run(ctx, func(ctx context.Context, _ string, meta map[string][]string) (net.Conn, error) {
			client, server := net.Pipe()
			running.Add(1)
			go func() {
				defer running.Done()
				_ = s.executor.sessions.HandleConn(ctx, server, meta)
			}()
			return client, nil
		})
	}()
	return func() {
		_ = bk.Close()
		cancel()
		running.Wait()
	}
}

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
	f, err := b.session.workspace.open(b.Dir, name, os.O_RDONLY, 0)
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
	for i := len(env) - 1; i >= 0; i-- {
		if len(env[i]) > len(name) && env[i][:len(name)] == name && env[i][len(name)] == '=' {
			return env[i][len(name)+1:], true
		}
	}
	return "", false
}
