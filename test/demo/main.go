// Demo shows a gated import: a public base image gets into a team's registry
// only after it has passed a test. It runs the drydockd that it is given against
// registries of its own on loopback, and leaves nothing behind:
//
//	demo DRYDOCKD EXAMPLES
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: demo DRYDOCKD EXAMPLES")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1], os.Args[2])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, drydockd, examples string) (err error) {
	d, err := open(ctx, drydockd, examples)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return d.play(ctx)
}
