package serve

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// User is a program that is no test, and uses what tests use.
type User struct {
	Dir   string               // for its temporary folders
	Later func(f func() error) // has f called when the program cleans up
}

// tb stands in for a test in what this package needs of one.
type tb struct {
	user   User
	ctx    context.Context
	failed error
}

var _ TB = (*tb)(nil)

// failure is what Fatal panics with.
type failure struct{ err error }

// With calls f, which fails by Fatal as tests do, and returns how it failed.
func (u User) With(ctx context.Context, f func(t TB)) (err error) {
	t := &tb{user: u, ctx: ctx}
	defer func() {
		if thrown := recover(); thrown != nil {
			failed, ok := thrown.(failure)
			if !ok {
				panic(thrown) // a mistake of the program
			}
			err = errors.Join(t.failed, failed.err)
		}
	}()
	f(t)
	return t.failed
}

// Helper implements TB.
func (t *tb) Helper() {}

// Cleanup implements TB: what is cleaned up goes with what the program has made.
func (t *tb) Cleanup(f func()) {
	t.user.Later(func() error { return t.user.With(context.Background(), func(TB) { f() }) })
}

// Context implements TB.
func (t *tb) Context() context.Context { return t.ctx }

// Fatal implements TB.
func (t *tb) Fatal(args ...any) { panic(failure{errors.New(fmt.Sprint(args...))}) }

// Error implements TB.
func (t *tb) Error(args ...any) { t.failed = errors.Join(t.failed, errors.New(fmt.Sprint(args...))) }

// Failed implements TB.
func (t *tb) Failed() bool { return t.failed != nil }

// Logf implements TB.
func (t *tb) Logf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

// TempDir implements TB. The folder goes with Program.Dir.
func (t *tb) TempDir() string {
	dir, err := os.MkdirTemp(t.user.Dir, "")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
