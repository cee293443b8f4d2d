package enginetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Fake is an executor whose containers are Go functions. Steps script it with
// variables of their environment; see Scripted. Its fields are set before the
// first use.
type Fake struct {
	Programs map[string]Program // by image as written, no other image exists; nil when every image is Scripted
	Registry *Registry          // nil for one of its own
	CloseErr error              // returned by the sessions' Close

	once   sync.Once
	mu     sync.Mutex
	opened int
	closed int
}

var _ engine.Executor = (*Fake)(nil)

// Program is an image: it runs a container to its end and returns its status.
// An error stands for a container that could not be run.
type Program func(ctx context.Context, p *Process) (status int, err error)

// Process is a container that a program runs.
type Process struct {
	engine.Container
	Attempt int // of this container name in the run, from 1
	session *session
}

// Open implements engine.Executor.
func (f *Fake) Open(ctx context.Context, spec engine.RunSpec) (engine.Session, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	f.once.Do(func() {
		if f.Registry == nil {
			f.Registry = NewRegistry()
		}
	})
	s, err := newSession(f, spec)
	if err != nil {
		return nil, fmt.Errorf("copying the source: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opened++
	return s, nil
}

// Sessions returns how many sessions were opened and closed so far.
func (f *Fake) Sessions() (opened, closed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened, f.closed
}

func (f *Fake) sessionClosed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
}

// program returns what an image of a session runs.
func (s *session) program(image string) Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range len(s.bases) + 1 {
		if p, ok := s.fake.Programs[image]; ok {
			return p
		}
		if base, ok := s.bases[image]; ok {
			image = base
		}
	}
	if s.fake.Programs == nil {
		return Scripted
	}
	return func(context.Context, *Process) (int, error) {
		return 0, drydock.Errorf(drydock.Invalid, "there is no image %s", image)
	}
}
