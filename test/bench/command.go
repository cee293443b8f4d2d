package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// timed runs a program to its end and returns how long that took.
func timed(ctx context.Context, name string, args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	return took, wrapOutput(err, cmd, output.String())
}

// wrapOutput adds to the error of a program what it said last.
func wrapOutput(err error, cmd *exec.Cmd, output string) error {
	if err == nil {
		return nil
	}
	const enough = 2000
	if len(output) > enough {
		output = "…" + output[len(output)-enough:]
	}
	return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(output))
}
