package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Scripted is a program that does what variables of its environment say:
//
//	FAKE_OUT     text for stdout
//	FAKE_ERR     text for stderr
//	FAKE_TIME    how long it runs after that, as 90s
//	FAKE_STATUS  its status at the end
//	FAKE_FAIL    how many attempts fail, with FAKE_STATUS or 1; later ones succeed
//	FAKE_ERROR   the text of the error with which it can't be run
//
// An image without any of them writes its image and arguments and succeeds.
func Scripted(ctx context.Context, p *Process) (int, error) {
	s := newScript(p.Env)
	if s.refused != nil && !s.recovers(p.Attempt) {
		return 0, s.refused
	}
	if p.Started != nil {
		p.Started()
	}
	if !s.given {
		_, err := fmt.Fprintln(p.Stdout, strings.Join(append([]string{p.Image}, p.Args...), " "))
		return 0, err
	}
	if err := s.play(ctx, p.Stdout, p.Stderr); err != nil {
		return 0, err
	}
	return s.exit(p.Attempt), s.err
}

type script struct {
	given        bool
	out, errs    string
	lasts        time.Duration
	status, fail int
	refused, err error
}

func newScript(env []string) *script {
	s := &script{}
	for _, entry := range env {
		key, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(key, "FAKE_") {
			continue
		}
		s.given = true
		var err error
		switch key {
		case "FAKE_OUT":
			s.out = value
		case "FAKE_ERR":
			s.errs = value
		case "FAKE_TIME":
			s.lasts, err = time.ParseDuration(value)
		case "FAKE_STATUS":
			s.status, err = strconv.Atoi(value)
		case "FAKE_FAIL":
			s.fail, err = strconv.Atoi(value)
		case "FAKE_ERROR":
			s.refused = errors.New(value)
		default:
			err = fmt.Errorf("unknown variable %s", key)
		}
		s.err = errors.Join(s.err, err)
	}
	return s
}

// recovers reports whether an attempt is after those that fail.
func (s *script) recovers(attempt int) bool { return s.fail > 0 && attempt > s.fail }

func (s *script) exit(attempt int) int {
	switch {
	case s.recovers(attempt):
		return 0
	case s.fail > 0 && s.status == 0:
		return 1
	default:
		return s.status
	}
}

func (s *script) play(ctx context.Context, out, errs io.Writer) error {
	if _, err := io.WriteString(out, s.out); err != nil {
		return err
	}
	if _, err := io.WriteString(errs, s.errs); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(s.lasts):
		return nil
	}
}
