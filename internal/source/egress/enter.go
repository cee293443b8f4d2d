package egress

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Enter makes this process another program in an enclosure, by its namespace and
// the address of its proxy. connect is the program for ssh; see Connect. It
// returns only with an error.
func Enter(namespace, address, connect, program string, args, env []string) error {
	runtime.LockOSThread() // the program is started from the thread that is in it
	f, err := os.Open(namespace)
	if err != nil {
		return fmt.Errorf("entering a network namespace: %w", err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering a network namespace: %w", err)
	}
	kept := environ(address)
	for _, text := range env {
		name, value, _ := strings.Cut(text, "=")
		switch {
		case strings.HasSuffix(strings.ToUpper(name), "_PROXY"):
		case name == "GIT_SSH_COMMAND":
			kept = append(kept, name+"="+SSHCommand(value, connect))
		default:
			kept = append(kept, text)
		}
	}
	if err := unix.Exec(program, append([]string{program}, args...), kept); err != nil {
		return fmt.Errorf("starting %s: %w", program, err)
	}
	return nil
}

// SSHCommand returns a command of ssh's with the option that makes it connect
// by a program that carries out Connect.
func SSHCommand(command, connect string) string {
	proxy := "ProxyCommand=" + strings.ReplaceAll(Quote(connect), "%", "%%") + " connect %h %p"
	return command + " -o " + Quote(proxy)
}

// Quote writes a text as one word of a shell.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
