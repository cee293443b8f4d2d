package serve_test

import (
	"testing"

	"github.com/drydockhq/drydock/test/serve"
)

const clientDomain = serve.LocalDomain

// client is a client that has signed in, with what tests wait for.
type client struct {
	*serve.Client
	t *testing.T
}

func newClient(t *testing.T, s *serve.Server) *client {
	t.Helper()
	return &client{s.Client(serve.Client{}), t}
}

func (c *client) run(args ...string) (stdout, stderr string, status int) {
	c.t.Helper()
	return c.Run(args...)
}

func (c *client) must(args ...string) string {
	c.t.Helper()
	return c.Must(args...)
}
