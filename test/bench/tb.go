package main

import (
	"context"

	"github.com/drydockhq/drydock/test/serve"
)

// with calls f, which fails by Fatal as tests do.
func (l *lab) with(ctx context.Context, f func(t serve.TB)) error {
	return serve.User{Dir: l.dir, Later: l.later}.With(ctx, f)
}
