package shell

import (
	"context"
	"io"
	"os"
)

// Runtime carries out what a script asks for. Its methods are called from
// several goroutines when the script has pipelines.
type Runtime interface {
	// Exec runs a command to its end and returns soon after ctx ends. A status
	// other than 0 is a *drydock.ExitError; any other error ends the script. It
	// must not close the command's streams, nor use them after it returned.
	Exec(ctx context.Context, c Command) error

	// Open opens the file of a redirection as os.OpenFile does, relative to the
	// step's working directory. An error that wraps *fs.PathError fails the
	// command with status 2, as in sh; one that wraps *drydock.Error, or any
	// other, ends the script.
	Open(name string, flag int, perm os.FileMode) (io.ReadWriteCloser, error)
}

// Command is a simple command, expanded.
type Command struct {
	Index  int       // its place among the script's simple commands, from 0
	Args   []string  // Args[0] is the image word, never empty
	Env    []string  // NAME=value assigned in front of it, in order
	Stdin  io.Reader // nil for none; an *os.File when it is a pipe
	Stdout io.Writer // nil when closed or not given to Run; an *os.File when it is a pipe
	Stderr io.Writer // as Stdout
}
