package enginetest

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Docker implements engine.Session for pull, tag, push and `login
// --password-stdin`.
func (s *session) Docker(ctx context.Context, c engine.DockerCommand) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err := s.docker(ctx, c)
	if err == nil {
		return nil
	}
	if _, err := fmt.Fprintln(c.Stderr, err); err != nil {
		return err
	}
	return &drydock.ExitError{Status: 1}
}

func (s *session) docker(ctx context.Context, c engine.DockerCommand) error {
	args := c.Args
	switch {
	case len(args) == 2 && args[0] == "pull":
		digest, err := s.fake.Registry.pull(args[1])
		if err != nil {
			return err
		}
		s.name(args[1], digest, args[1])
		_, err = fmt.Fprintf(c.Stdout, "Digest: %s\n", digest)
		return err
	case len(args) == 3 && args[0] == "tag":
		s.mu.Lock()
		digest, ok := s.images[args[1]]
		s.mu.Unlock()
		if !ok {
			return fmt.Errorf("no such image: %s", args[1])
		}
		s.name(args[2], digest, args[1])
		return nil
	case len(args) == 2 && args[0] == "push":
		_, err := s.Push(ctx, args[1], c.Stdout)
		return err
	case len(args) > 0 && args[0] == "login":
		return s.login(c)
	default:
		return fmt.Errorf("docker %s is not supported", strings.Join(args, " "))
	}
}

// name puts an image into the run's table; it runs what from runs.
func (s *session) name(image, digest, from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.images[image] = digest
	if image != from {
		s.bases[image] = from
	}
}

func (s *session) login(c engine.DockerCommand) error {
	if c.Stdin == nil {
		return fmt.Errorf("the password is not on standard input")
	}
	password, err := io.ReadAll(c.Stdin)
	if err != nil {
		return err
	}
	if s.spec.Secret != nil {
		s.spec.Secret(strings.TrimSpace(string(password)))
	}
	_, err = fmt.Fprintln(c.Stdout, "Login Succeeded")
	return err
}
