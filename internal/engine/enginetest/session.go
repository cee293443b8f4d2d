package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// session is a run on a Fake.
type session struct {
	fake *Fake
	spec engine.RunSpec
	dir  string   // on this machine, holds workspace and home
	root *os.Root // the workspace
	home *os.Root

	mu       sync.Mutex
	images   map[string]string // digest by name
	bases    map[string]string // image by name of what was made from it
	attempts map[string]int
	running  map[string]bool
	servers  map[string]string // folder served, by container name
	deps     []drydock.ImageDependencies

	ctx    context.Context // ends with Close
	cancel context.CancelCauseFunc
	active sync.WaitGroup
}

var _ engine.Session = (*session)(nil)

var errClosed = errors.New("the session is closed")

func newSession(f *Fake, spec engine.RunSpec) (*session, error) {
	s := &session{
		fake: f, spec: spec,
		images: make(map[string]string), bases: make(map[string]string),
		attempts: make(map[string]int), running: make(map[string]bool), servers: make(map[string]string),
	}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	var err error
	if s.dir, err = os.MkdirTemp("", "enginetest"); err != nil {
		return nil, err
	}
	if err := s.fill(spec.Source); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// fill makes workspace and home.
func (s *session) fill(source string) error {
	work, home := filepath.Join(s.dir, "workspace"), filepath.Join(s.dir, "home")
	if err := errors.Join(os.Mkdir(work, 0o755), os.Mkdir(home, 0o755)); err != nil {
		return err
	}
	if source != "" {
		if err := os.CopyFS(work, os.DirFS(source)); err != nil {
			return err
		}
	}
	var workErr, homeErr error
	s.root, workErr = os.OpenRoot(work)
	s.home, homeErr = os.OpenRoot(home)
	return errors.Join(workErr, homeErr)
}

// Run implements engine.Session.
func (s *session) Run(ctx context.Context, c engine.Container) error {
	if c.Privileged && !s.spec.AllowPrivileged {
		return drydock.Errorf(drydock.Denied, "container %s is privileged", c.Name)
	}
	p, err := s.begin(c)
	if err != nil {
		return err
	}
	defer s.end(c.Name)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(errClosed) })()

	status, err := s.program(c.Image)(ctx, p)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return err
	case status != 0:
		return &drydock.ExitError{Status: status}
	default:
		return nil
	}
}

func (s *session) begin(c engine.Container) (*Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil, errClosed
	}
	if s.running[c.Name] {
		return nil, drydock.Errorf(drydock.Invalid, "the container name %q is in use", c.Name)
	}
	s.running[c.Name] = true
	s.attempts[c.Name]++
	s.active.Add(1)
	return &Process{Container: c, Attempt: s.attempts[c.Name], session: s}, nil
}

func (s *session) end(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, name)
	delete(s.servers, name)
	s.active.Done()
}

// Push implements engine.Session.
func (s *session) Push(ctx context.Context, image string, _ io.Writer) (string, error) {
	if err := context.Cause(ctx); err != nil {
		return "", err
	}
	s.mu.Lock()
	digest, ok := s.images[image]
	s.mu.Unlock()
	if !ok {
		return "", drydock.Errorf(drydock.Invalid, "the run has no image %s", image)
	}
	if err := s.fake.Registry.push(image, digest); err != nil {
		return "", fmt.Errorf("pushing image %s: %w", image, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.deps {
		if ref := s.deps[i].Image; ref != nil && ref.Reference == image {
			ref.Digest = digest
		}
	}
	return digest, nil
}

// Dependencies implements engine.Session.
func (s *session) Dependencies() []drydock.ImageDependencies {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deps)
}

// Close implements engine.Session.
func (s *session) Close() error {
	s.mu.Lock()
	s.cancel(errClosed)
	left := slices.Collect(maps.Keys(s.running))
	s.mu.Unlock()
	s.active.Wait()
	s.fake.sessionClosed()
	err := errors.Join(s.root.Close(), s.home.Close(), os.RemoveAll(s.dir), s.fake.CloseErr)
	if err != nil {
		return fmt.Errorf("closing a session with %d containers: %w", len(left), err)
	}
	return nil
}
