// Demo plays the walkthrough of examples/public-content: a public image changes,
// a page that is built on it follows, and a gate lets through only what has passed
// a test. It starts the drydockd that it is given on a folder and a port of its
// own, uses it by the drydock that it is given, and leaves nothing behind:
//
//	demo DRYDOCKD DRYDOCK EXAMPLE
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"golang.org/x/term"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: demo DRYDOCKD DRYDOCK EXAMPLE")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case interrupted:
		os.Exit(130) // as after a signal; what fails then has no other cause
	case err != nil:
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
	d, err := open()
	if err != nil {
		return err
	}
	d.out = os.Stdout
	if term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stdout.Fd())) {
		d.wait = enter
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return d.play(ctx, programs{args[0], args[1]}, args[2])
}

// enter waits until somebody presses the key, or ctx ends.
func enter(ctx context.Context) {
	pressed := make(chan struct{})
	go func() { // it ends with the process, at the latest
		defer close(pressed)
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	select {
	case <-pressed:
	case <-ctx.Done():
	}
}
