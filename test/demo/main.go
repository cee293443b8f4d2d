// Demo shows a gated import: a public base image gets into a team's registry
// only after it has passed a test. It starts the drydockd that it is given on a
// folder and a port of its own, uses it by the drydock that it is given, and
// leaves nothing behind:
//
//	demo DRYDOCKD DRYDOCK EXAMPLES
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: demo DRYDOCKD DRYDOCK EXAMPLES")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	for i := range args { // the commands run in another folder
		if args[i], err = filepath.Abs(args[i]); err != nil {
			return err
		}
	}
	d, err := open(ctx, programs{args[0], args[1]}, args[2])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return d.play(ctx)
}
