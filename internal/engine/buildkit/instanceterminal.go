package buildkit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/containerd/console"

	"github.com/drydockhq/drydock/internal/instance"
)

// runOnTerminal runs a command of runc on a terminal of its own, which runc in
// turn joins to that of the process in the container.
func runOnTerminal(cmd *exec.Cmd, e instance.ExecSpec) error {
	master, name, err := console.NewPty()
	if err != nil {
		return fmt.Errorf("opening a terminal: %w", err)
	}
	defer master.Close()
	if err := master.Resize(console.WinSize{Height: uint16(e.Rows), Width: uint16(e.Columns)}); err != nil {
		return fmt.Errorf("sizing a terminal: %w", err)
	}
	slave, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return fmt.Errorf("opening a terminal: %w", err)
	}
	// What is typed is for the terminal in the container to interpret.
	outer, err := console.ConsoleFromFile(slave)
	if err == nil {
		err = outer.SetRaw()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("preparing a terminal: %w", err), slave.Close())
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	closeErr := slave.Close()
	if err != nil {
		return fmt.Errorf("starting runc: %w", err)
	}
	if closeErr != nil {
		return closeErr
	}
	if e.Input != nil {
		go func() {
			// Ends with the input, which its owner closes when the command has
			// ended, or at the first write after that.
			_, _ = io.Copy(master, e.Input)
		}()
	}
	var output sync.WaitGroup
	output.Go(func() {
		// The end of a terminal is an error of the device.
		_, _ = io.Copy(e.Output, master)
	})
	err = cmd.Wait()
	output.Wait()
	return err
}
