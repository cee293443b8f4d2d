package buildkit

import (
	"context"
	"fmt"
	"net"
	"sync"

	bksession "github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/filesync"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/sourcepolicy/policysession"
	"google.golang.org/grpc/connectivity"
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
	b.sessionID = bk.ID()
	b.session.executor.runs.add(bk.ID(), b)
	remove := func() { b.session.executor.runs.remove(bk.ID()) }
	closeSession, err := b.session.serve(ctx, bk)
	if err != nil {
		remove()
		return nil, nil, err
	}
	return bk, func() { closeSession(); remove() }, nil
}

// bareSession opens a BuildKit session that knows nothing but the run's
// credentials, and returns its id.
func (s *session) bareSession(ctx context.Context) (string, func(), error) {
	bk, err := bksession.NewSession(ctx, "")
	if err != nil {
		return "", nil, fmt.Errorf("opening an image session: %w", err)
	}
	bk.Allow(s.logins.attachable())
	closeSession, err := s.serve(ctx, bk)
	return bk.ID(), closeSession, err
}

// serve joins a BuildKit session to the session manager until the returned
// function is called.
func (s *session) serve(caller context.Context, bk *bksession.Session) (func(), error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(caller))
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
	end := func() {
		_ = bk.Close()
		cancel()
		running.Wait()
	}
	if err := s.joined(caller, bk.ID()); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

// joined waits until the manager has reached a session. One that ends before
// that has its server complain on this process's standard error.
func (s *session) joined(ctx context.Context, id string) error {
	caller, err := s.executor.sessions.Get(ctx, id, false)
	if err != nil {
		return fmt.Errorf("joining a build session: %w", err)
	}
	conn := caller.Conn()
	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		if !conn.WaitForStateChange(ctx, state) {
			return context.Cause(ctx)
		}
	}
	return nil
}
