package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/internal/engine"
)

// Build implements engine.Session. It follows the same variables as Scripted;
// of a Dockerfile it reads the last FROM only.
func (s *session) Build(ctx context.Context, b engine.Build) error {
	s.mu.Lock()
	s.attempts[b.StepID]++
	attempt := s.attempts[b.StepID]
	s.mu.Unlock()
	script := newScript(b.Env)
	if script.refused != nil && !script.recovers(attempt) {
		return script.refused
	}
	if err := script.play(ctx, b.Out, b.Out); err != nil {
		return err
	}
	if status := script.exit(attempt); status != 0 {
		return &drydock.ExitError{Status: status}
	}
	base, err := s.base(b)
	if err != nil {
		return err
	}
	s.built(b, base)
	return script.err
}

func (s *session) base(b engine.Build) (string, error) {
	name := b.Flags.Dockerfile
	if name == "" {
		name = path.Join(b.Flags.Context, "Dockerfile")
	}
	f, err := s.OpenFile(b.Dir, name, os.O_RDONLY, 0)
	if os.IsNotExist(err) {
		return "scratch", nil
	}
	if err != nil {
		return "", fmt.Errorf("opening the Dockerfile: %w", err)
	}
	base := lastFrom(f)
	return base, f.Close()
}

func lastFrom(r io.Reader) string {
	base := "scratch"
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && strings.EqualFold(words[0], "FROM") {
			base = words[1]
		}
	}
	return base
}

func (s *session) built(b engine.Build, base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tag := range b.Flags.Tags {
		s.images[tag] = digestOf(b.StepID + " from " + base)
		s.bases[tag] = base
		found := drydock.ImageDependencies{Image: &drydock.ImageReference{Reference: tag}}
		if base != "scratch" {
			found.Runtime = &drydock.ImageReference{Reference: base, Digest: digestOf(base)}
		}
		s.deps = append(s.deps, found)
	}
}
