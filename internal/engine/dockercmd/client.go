package dockercmd

import (
	"context"
	"sync"
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
	return context.Cause(ctx)
}
