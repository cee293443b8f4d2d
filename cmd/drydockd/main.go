// Command drydockd runs ACR task files on this machine.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(runUntilSignal()) }

// runUntilSignal carries out the command line until a signal cancels it. A
// second signal has its default effect, so that it ends a clean-up that hangs.
func runUntilSignal() int {
	// A reader of the output that goes away, as head does, must not kill the
	// program in the middle of a run: the write fails instead.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	return newProgram().run(ctx, os.Args[1:])
}
