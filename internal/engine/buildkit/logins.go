package buildkit

import (
	"context"
	"sync"

	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"google.golang.org/grpc"

	"github.com/drydockhq/drydock"
)

// logins are the credentials of one run, strongest first: `docker login` in
// the run, those that the run was opened with, the executor's keychain.
type logins struct {
	opened   []drydock.Credential
	keychain Keychain
	// vouch says what to sign in with in place of the run's own; nil for those.
	vouch func(ctx context.Context, c drydock.Credential) (drydock.Credential, error)

	mu    sync.Mutex
	added []drydock.Credential
}

// Lookup returns user and secret for a registry's host; empty strings when
// there are none.
func (l *logins) Lookup(ctx context.Context, host string) (user, secret string, err error) {
	l.mu.Lock()
	added := l.added
	l.mu.Unlock()
	for _, list := range [][]drydock.Credential{added, l.opened} {
		for _, c := range list {
			if registryKey(c.Registry) == registryKey(host) {
				return l.own(ctx, c)
			}
		}
	}
	if l.keychain == nil {
		return "", "", nil
	}
	return l.keychain.Lookup(ctx, host)
}

// own returns what the run itself signs in with in place of one of its logins.
func (l *logins) own(ctx context.Context, c drydock.Credential) (user, secret string, err error) {
	if l.vouch == nil {
		return c.Username, c.Password, nil
	}
	vouched, err := l.vouch(ctx, c)
	switch {
	case drydock.CodeOf(err) == drydock.NotFound:
		return c.Username, c.Password, nil // what answers for the registry says so itself
	case err != nil:
		return "", "", err
	}
	return vouched.Username, vouched.Password, nil
}

// add puts a credential before all others.
func (l *logins) add(c drydock.Credential) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.added = append([]drydock.Credential{c}, l.added...)
}

// remove takes away what add put there and reports whether there was something.
func (l *logins) remove(registry string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept []drydock.Credential
	for _, c := range l.added {
		if registryKey(c.Registry) != registryKey(registry) {
			kept = append(kept, c)
		}
	}
	found := len(kept) < len(l.added)
	l.added = kept
	return found
}

// all returns the run's own credentials, strongest first.
func (l *logins) all() []drydock.Credential {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append(append([]drydock.Credential{}, l.added...), l.opened...)
}

// registryKey makes the many names of Docker Hub one.
func registryKey(host string) string {
	switch host {
	case "index.docker.io", hubHost, "registry.hub.docker.com", "https://index.docker.io/v1/":
		return "docker.io"
	}
	return host
}

// attachable lets BuildKit ask for the run's credentials. Tokens are fetched
// by the client that is configured for the registry, not here.
func (l *logins) attachable() bksession.Attachable { return &authServer{logins: l} }

type authServer struct {
	auth.UnimplementedAuthServer
	logins *logins
}

// Register puts the service on a session's server.
func (s *authServer) Register(server *grpc.Server) { auth.RegisterAuthServer(server, s) }

// Credentials answers what BuildKit asks with.
func (s *authServer) Credentials(ctx context.Context, req *auth.CredentialsRequest) (*auth.CredentialsResponse, error) {
	user, secret, err := s.logins.Lookup(ctx, req.Host)
	if err != nil {
		return nil, err
	}
	return &auth.CredentialsResponse{Username: user, Secret: secret}, nil
}
