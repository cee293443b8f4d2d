package script_test

import (
	"context"
	"testing"

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// hub is the registry of base images: it answers for docker.io and
// mcr.microsoft.com. Scripts only read from it.
type hub struct{ *registry.Registry }

func (h *hub) start(t *testing.T) error {
	t.Helper()
	h.Registry = registry.Start(t, registry.Options{})
	return images.Push(t.Context(), h.Host,
		images.Busybox+"=library/busybox",
		images.Bash+"=library/bash",
		images.Bash+"=library/bash:3.0",
		images.Bash+"=acr/bash:2ff604c",
		images.Curl+"=acr/curl:2ff604c",
		images.HelloWorld+"=hello-world",
		images.HelloWorld+"=library/hello-world",
		images.Web+"=oss/nginx/nginx:1.15.5-alpine",
		images.Node+"=library/"+images.Node,
		images.Multi+"=public/multi",
	)
}

// counted is a registry that says how many blobs it was sent since it was last
// asked.
type counted struct {
	*registry.Registry
	before registry.Counts
}

// sends returns how many blobs were uploaded since the last call.
func (c *counted) sends() int {
	now := c.Count()
	since := now.Sub(c.before)
	c.before = now
	return int(since.Uploads)
}

// pushImage pushes a test image to a reference, HOST/REPOSITORY:TAG.
func pushImage(ctx context.Context, image, host, target string) error {
	return images.Push(ctx, host, image+"="+target)
}
