package buildkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/moby/buildkit/util/leaseutil"
	"golang.org/x/sync/errgroup"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
	"github.com/drydockhq/drydock/internal/engine/buildkit/runnet"
	"github.com/drydockhq/drydock/internal/engine/dockercmd"
)

// session is one run on the executor.
type session struct {
	executor *Executor
	spec     engine.RunSpec
	dir      string // state of this run; goes with it

	ctx    context.Context // ends with the session
	cancel context.CancelFunc
	work   sync.WaitGroup // calls under way

	logins    *logins
	remote    *remote
	workspace *workspace
	network   *runnet.Run
	group     *group // of all its containers; nil until it is made
	images    *imageTable
	docker    *dockercmd.Client
	lease     leases.Lease // keeps what the run's images are made of

	limits drydock.Limits
	roots  rootfsTable

	mu      sync.Mutex
	closed  bool
	built   []builtRecord
	digests map[string]string // of what was pushed, by complete name
}

var (
	_ engine.Session      = (*session)(nil)
	_ engine.PushedLister = (*session)(nil)
)

// Open makes a run's workspace, network and limits.
func (e *Executor) Open(ctx context.Context, spec engine.RunSpec) (_ engine.Session, err error) {
	s := &session{executor: e, spec: spec, limits: withDefaults(spec.Limits, e.config.Limits), digests: map[string]string{}}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	defer func() {
		if err != nil {
			err = errors.Join(explainFull(ctx, e.config, err), s.Close())
		}
	}()
	if s.dir, err = e.runtime.newRunDir(spec.ID); err != nil {
		return nil, err
	}
	s.logins = &logins{opened: spec.Credentials, keychain: e.config.Keychain}
	if spec.Hosts != nil {
		s.logins.vouch = spec.Hosts.Vouch
	}
	s.remote = e.remoteAs(s.logins, spec.RealAzure)
	s.images = newImageTable(s)
	s.docker = dockercmd.New(&dockerStore{s})
	if s.lease, err = e.worker.LeaseManager().Create(ctx, leases.WithRandomID(), leaseutil.MakeTemporary); err != nil {
		return nil, fmt.Errorf("opening the run's lease on the image store: %w", err)
	}
	if s.workspace, err = newWorkspace(s.dir, spec, e.machine.volatile); err != nil {
		return nil, err
	}
	if err := s.writeLogins(); err != nil {
		return nil, err
	}
	if s.network, err = e.network.OpenRun(ctx, filepath.Base(s.dir), spec.Networks, runnet.RunOptions{Publish: spec.Publish, Hosts: spec.Hosts}); err != nil {
		return nil, err
	}
	g := e.runtime.group.child(filepath.Base(s.dir))
	s.group = &g
	return s, newLimitedGroup(g, s.limits)
}

// begin counts a call of the session and ties its context to the session's.
func (s *session) begin(ctx context.Context) (context.Context, func(), error) {
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.work.Add(1)
	}
	s.mu.Unlock()
	if closed {
		return nil, nil, drydock.Errorf(drydock.Canceled, "the run has ended")
	}
	ctx, cancel := context.WithCancelCause(leases.WithLease(ctx, s.lease.ID))
	stop := context.AfterFunc(s.ctx, func() { cancel(context.Canceled) })
	return ctx, func() {
		stop()
		cancel(nil)
		s.work.Done()
	}, nil
}

// Close stops what still runs and takes away all that the run had.
func (s *session) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.work.Wait()
	var errs []error
	if s.group != nil {
		errs = append(errs, s.group.remove())
	}
	// The kernel takes its time over links, and the other things don't need them.
	var network errgroup.Group
	if s.network != nil {
		network.Go(s.network.Close)
	}
	errs = append(errs, s.roots.Close())
	if s.images != nil {
		errs = append(errs, s.images.Close())
	}
	if s.lease.ID != "" {
		errs = append(errs, s.executor.worker.LeaseManager().Delete(context.Background(), s.lease))
	}
	errs = append(errs, network.Wait())
	if s.workspace != nil {
		errs = append(errs, s.workspace.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	s.executor.collector.wake()
	return errors.Join(errs...)
}
