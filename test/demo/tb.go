package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/drydockhq/drydock/test/serve"
)

// tb stands in for a test in what test packages need of one.
type tb struct {
	demo   *demo
	ctx    context.Context
	failed error
}

var _ serve.TB = (*tb)(nil)

// failure is what Fatal panics with.
type failure struct{ err error }

// with calls f, which fails by Fatal as tests do.
func (d *demo) with(ctx context.Context, f func(t *tb)) (err error) {
	t := &tb{demo: d, ctx: ctx}
	defer func() {
		if p := recover(); p != nil {
			failed, ok := p.(failure)
			if !ok {
				panic(p)
			}
			err = errors.Join(t.failed, failed.err)
		}
	}()
	f(t)
	return t.failed
}

// Helper implements serve.TB.
func (t *tb) Helper() {}

// Cleanup implements serve.TB: what is cleaned up goes with the demo.
func (t *tb) Cleanup(f func()) {
	t.demo.later = append(t.demo.later, func() error { return t.demo.with(context.Background(), func(*tb) { f() }) })
}

// Context implements serve.TB.
func (t *tb) Context() context.Context { return t.ctx }

// Fatal implements serve.TB.
func (t *tb) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

// Error implements serve.TB.
func (t *tb) Error(args ...any) { t.failed = errors.Join(t.failed, errors.New(fmt.Sprint(args...))) }

// Failed implements serve.TB.
func (t *tb) Failed() bool { return t.failed != nil }

// Logf implements serve.TB.
func (t *tb) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// TempDir implements serve.TB. The folder goes with the demo.
func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp(t.demo.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
