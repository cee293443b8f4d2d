package main

import (
	"context"

	"github.com/drydockhq/drydock/test/serve"
)

// with calls f, which fails by Fatal as tests do.
func (d *demo) with(ctx context.Context, f func(t serve.TB)) error {
	later := func(f func() error) { d.later = append(d.later, f) }
	return serve.User{Dir: d.dir, Later: later}.With(ctx, f)
}
