package dockercmd

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/pflag"

	"github.com/drydockhq/drydock"
)

// Client is the docker client of one run. It keeps the manifest lists that are
// being put together. Its methods may be called from several goroutines.
type Client struct {
	store Store

	mu    sync.Mutex
	lists map[string]*manifestList // by complete name
}

// New returns the client of a run.
func New(store Store) *Client {
	return &Client{store: store, lists: map[string]*manifestList{}}
}

// Run carries out one command. A command that fails has written its message to
// in.Stderr and is returned as *drydock.ExitError; when ctx ended meanwhile,
// its cause is returned instead.
func (c *Client) Run(ctx context.Context, in Invocation) error {
	k := &call{ctx: ctx, client: c, store: c.store, in: in}
	err := k.dispatch("docker", commands(), in.Args)
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		err = k.writeErr
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil:
		return nil
	}
	status := 1
	var usage *usageError
	if errors.As(err, &usage) {
		status = usage.status
	}
	if text := err.Error(); text != "" {
		k.errorf("%s\n", text)
	}
	return &drydock.ExitError{Status: status}
}

// usageError is a command line that can't be understood.
type usageError struct {
	message string
	status  int // 125 for flags, as docker has it
}

func (e *usageError) Error() string { return e.message }

// call is one invocation on its way.
type call struct {
	ctx      context.Context
	client   *Client
	store    Store
	in       Invocation
	name     string // of the command: "docker image ls"
	usage    string // its arguments: "[OPTIONS] NAME"
	writeErr error  // the first failed write to standard output
}

// printf writes to standard output. A failed write fails the command at its end.
func (k *call) printf(format string, args ...any) {
	if k.in.Stdout == nil {
		return
	}
	if _, err := fmt.Fprintf(k.in.Stdout, format, args...); err != nil && k.writeErr == nil {
		k.writeErr = fmt.Errorf("writing the output: %w", err)
	}
}

// errorf writes to standard error, where a failure can't be told to anybody.
func (k *call) errorf(format string, args ...any) {
	if k.in.Stderr != nil {
		_, _ = fmt.Fprintf(k.in.Stderr, format, args...)
	}
}
