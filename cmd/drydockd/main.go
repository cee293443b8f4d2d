// Command drydockd is the server, and runs ACR task files on this machine
// without one. Called as drydock or az it is the client, and
// called as acr the one that maintains registries.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/drydockhq/drydock/internal/acrcli"
	"github.com/drydockhq/drydock/internal/cli"
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
	switch name := filepath.Base(os.Args[0]); name {
	case "drydock", "az":
		return cli.Run(ctx, cli.System(name, programVersion()), os.Args[1:])
	case "acr":
		return acrcli.Run(ctx, acrcli.System(programVersion()), os.Args[1:])
	}
	return newProgram().run(ctx, os.Args[1:])
}
