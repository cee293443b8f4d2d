// Command drydock is the client of a Drydock server. Called as az it is the
// same.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/drydockhq/drydock/internal/cli"
)

// version is set by the linker; see the Makefile.
var version string

func main() { os.Exit(runUntilSignal()) }

// runUntilSignal carries out the command line until a signal cancels it. A
// second signal has its default effect.
func runUntilSignal() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, stop)()
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	return cli.Run(ctx, cli.System(name, cli.BuildVersion(version, debug.ReadBuildInfo)), os.Args[1:])
}
