package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// demo is the stage of the gated import.
type demo struct {
	drydockd string
	examples string
	dir      string // of what the demo makes
	real     bool   // whether node:15-alpine has Node in it

	hub    *registry.Registry // where the public's images come from, as Docker Hub
	public *registry.Registry // where the maintainers of node publish it
	team   *registry.Registry // what the team builds on
}

func open(ctx context.Context, drydockd, examples string) (_ *demo, err error) {
	d := &demo{drydockd: drydockd, examples: examples}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	// Not in /tmp, which may be in memory.
	if d.dir, err = os.MkdirTemp("/var/tmp", "drydock-demo-"); err != nil {
		return nil, err
	}
	for _, r := range []**registry.Registry{&d.hub, &d.public, &d.team} {
		if *r, err = registry.New(registry.Options{}); err != nil {
			return nil, err
		}
	}
	return d, d.stock(ctx)
}

// stock puts what the demo needs of Docker Hub and Microsoft's registry into the
// hub.
func (d *demo) stock(ctx context.Context) error {
	title("Docker Hub is played by a registry of this demo")
	fmt.Println("Its node:15-alpine is made from Debian's libraries and the Node.js of npm, which takes a while the first time.")
	node := images.Push(ctx, d.hub.Host, images.Node+"=library/"+images.Node)
	if drydock.CodeOf(node) == drydock.Unavailable {
		fmt.Printf("That failed: %v\nA busybox under the same name stands in for it, and the application that needs Node.js is left out.\n", node)
		return images.Push(ctx, d.hub.Host, images.Busybox+"=library/"+images.Node)
	}
	d.real = true
	return errors.Join(node, images.Push(ctx, d.hub.Host, images.Curl+"=acr/curl:2ff604c"))
}

func (d *demo) close() error {
	var errs []error
	for _, r := range []*registry.Registry{d.hub, d.public, d.team} {
		if r != nil {
			errs = append(errs, r.Close())
		}
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// play publishes a good base image and imports it, and then a bad one. After
// each the team builds its application.
func (d *demo) play(ctx context.Context) error {
	green, err := d.publish(ctx, "Green")
	if err != nil {
		return err
	}
	title("The team imports it, if it passes the test. Green does")
	if err := d.importImage(ctx, "green"); err != nil {
		return fmt.Errorf("importing the green image: %w", err)
	}
	if err := d.buildApplication(ctx, "one"); err != nil {
		return err
	}
	red, err := d.publish(ctx, "Red")
	if err != nil {
		return err
	}
	title("The team imports it, if it passes the test. Red does not")
	err = d.importImage(ctx, "red")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("importing the red image ended with %v, want exit status 1", err)
	}
	if err := d.buildApplication(ctx, "two"); err != nil {
		return err
	}
	return d.show(green, red)
}

// publish builds and pushes the public image in a colour and returns its
// digest.
func (d *demo) publish(ctx context.Context, color string) (string, error) {
	title("The maintainers of node publish their image in %s", color)
	source, err := d.paint(color)
	if err != nil {
		return "", err
	}
	if err := d.exec(ctx, "-r", d.public.Host, source); err != nil {
		return "", fmt.Errorf("publishing the %s image: %w", color, err)
	}
	return d.public.Digest(images.Node)
}

// paint returns a copy of the public image's source in a colour, as its
// maintainers would commit it.
func (d *demo) paint(color string) (string, error) {
	source := filepath.Join(d.dir, "base-image-node", color)
	if err := os.CopyFS(source, os.DirFS(filepath.Join(d.examples, "base-image-node"))); err != nil {
		return "", err
	}
	name := filepath.Join(source, "Dockerfile")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	painted := bytes.Replace(text, []byte("BACKGROUND_COLOR Green"), []byte("BACKGROUND_COLOR "+color), 1)
	return source, os.WriteFile(name, painted, 0o644)
}

// importImage runs the task of the gate.
func (d *demo) importImage(ctx context.Context, id string) error {
	return d.exec(ctx, "-r", d.team.Host, "--id", id, "--set", "REGISTRY_FROM_URL="+d.public.Host+"/",
		filepath.Join(d.examples, "import-baseimage-node"))
}

// buildApplication runs the task of the application, on the base image that the
// team's registry has.
func (d *demo) buildApplication(ctx context.Context, id string) error {
	if !d.real {
		return nil
	}
	title("The team builds hello-world on the node of its own registry, and looks at its page")
	err := d.exec(ctx, "-r", d.team.Host, "--id", id, "--set", "REGISTRY_FROM_URL="+d.team.Host+"/",
		filepath.Join(d.examples, "hello-world"))
	if err != nil {
		return fmt.Errorf("building the application: %w", err)
	}
	return nil
}

// exec runs drydockd as a user would.
func (d *demo) exec(ctx context.Context, args ...string) error {
	args = append([]string{
		"exec", "--data", filepath.Join(d.dir, "data"),
		"--mirror", "docker.io=" + d.hub.URL, "--mirror", "mcr.microsoft.com=" + d.hub.URL,
	}, args...)
	fmt.Printf("$ drydockd %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.drydockd, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd.Run()
}

// title prints a sentence about what comes next.
func title(format string, args ...any) {
	line := "== " + fmt.Sprintf(format, args...)
	if term.IsTerminal(int(os.Stdout.Fd())) {
		line = "\x1b[1m" + line + "\x1b[0m"
	}
	fmt.Printf("\n%s\n", line)
}
