package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"
)

// drydock shows a command of the client, and runs it as a user would. No argument
// has spaces.
func (d *demo) drydock(ctx context.Context, line string, values ...any) error {
	args := strings.Fields(fmt.Sprintf(line, values...))
	say("drydock", args)
	cmd := d.client(ctx, args)
	cmd.Stdout = os.Stdout
	return cmd.Run()
}

// read runs a command that is not shown, and returns its output.
func (d *demo) read(ctx context.Context, line string, values ...any) (string, error) {
	out, err := d.client(ctx, strings.Fields(fmt.Sprintf(line, values...))).Output()
	return strings.TrimSpace(string(out)), err
}

func (d *demo) client(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, d.programs.drydock, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = d.dir, d.environ(), os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// say prints a command line, without its passwords.
func say(program string, args []string) {
	shown := append([]string{"$", program}, args...)
	for i, arg := range shown {
		if arg == "-p" && i+1 < len(shown) {
			shown[i+1] = "…"
		}
	}
	fmt.Println(strings.Join(shown, " "))
}

// title prints a sentence about what comes next.
func title(format string, args ...any) {
	line := "== " + fmt.Sprintf(format, args...)
	if term.IsTerminal(int(os.Stdout.Fd())) {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	fmt.Printf("\n%s\n", line)
}
