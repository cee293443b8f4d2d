package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/drydockhq/drydock"
	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// demo is the stage of the gated import: a server with a registry of the public
// and one of a team.
type demo struct {
	programs programs
	examples string
	dir      string // of what the demo makes
	real     bool   // whether node:15-alpine has Node in it

	hub    *registry.Registry // where the public's images come from, as Docker Hub
	server *server
}

// programs are those that the demo shows.
type programs struct{ drydockd, drydock string }

// The registries, and the task that is the gate.
const (
	publicRegistry = "public"
	teamRegistry   = "demoteam"
	gate           = "import-baseimage-node"
)

func open(ctx context.Context, p programs, examples string) (_ *demo, err error) {
	d := &demo{programs: p, examples: examples}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	// Not in /tmp, which may be in memory.
	if d.dir, err = os.MkdirTemp("/var/tmp", "drydock-demo-"); err != nil {
		return nil, err
	}
	if err := d.copyExamples(); err != nil {
		return nil, err
	}
	if d.hub, err = registry.New(registry.Options{}); err != nil {
		return nil, err
	}
	return d, d.stock(ctx)
}

// copyExamples copies the three folders, and makes a git repository of the
// team's gate, as tasks have it.
func (d *demo) copyExamples() error {
	if err := os.CopyFS(d.dir, os.DirFS(d.examples)); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"add", "--all"},
		{"-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "--quiet", "--message", "a gate"},
	} {
		cmd := exec.Command("git", append([]string{"-C", filepath.Join(d.dir, gate)}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("git %s: %w: %s", args[0], err, out)
		}
	}
	return nil
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
	if d.server != nil {
		errs = append(errs, d.server.stop())
	}
	if d.hub != nil {
		errs = append(errs, d.hub.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// play starts the server, publishes a good base image and imports it, and then
// a bad one. After each the team builds its application.
func (d *demo) play(ctx context.Context) error {
	if err := d.setUp(ctx); err != nil {
		return err
	}
	green, err := d.publish(ctx, "Green")
	if err != nil {
		return err
	}
	if err := d.makeGate(ctx); err != nil {
		return err
	}
	title("The task imports the image, if it passes the test. Green does")
	if err := d.drydock(ctx, "acr task run -r %s -n %s", teamRegistry, gate); err != nil {
		return fmt.Errorf("importing the green image: %w", err)
	}
	if err := d.buildApplication(ctx); err != nil {
		return err
	}
	red, err := d.publish(ctx, "Red")
	if err != nil {
		return err
	}
	title("The task imports the image, if it passes the test. Red does not")
	err = d.drydock(ctx, "acr task run -r %s -n %s", teamRegistry, gate)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("importing the red image ended with %v, want exit status 1", err)
	}
	if err := d.buildApplication(ctx); err != nil {
		return err
	}
	return d.show(ctx, green, red)
}

// setUp starts the server and makes the two registries.
func (d *demo) setUp(ctx context.Context) (err error) {
	title("A server starts, on an empty folder")
	if d.server, err = d.startServer(ctx); err != nil {
		return err
	}
	fmt.Print(d.server.welcome)
	title("Its admin signs in, and makes a registry for the public and one for a team")
	line := "login --endpoint %s --service-principal -u %s -p %s --tenant %s -o none"
	if err := d.drydock(ctx, line, d.server.url, d.server.said("client id"), d.server.said("secret"), d.server.said("tenant")); err != nil {
		return err
	}
	for _, line := range []string{
		"group create -n demo -l local -o none",
		"acr create -g demo -n " + publicRegistry + " --sku Basic --admin-enabled -o none",
		"acr create -g demo -n " + teamRegistry + " --sku Basic -o none",
		"acr list -o table",
	} {
		if err := d.drydock(ctx, "%s", line); err != nil {
			return err
		}
	}
	return nil
}

// publish builds and pushes the public image in a colour and returns its
// digest.
func (d *demo) publish(ctx context.Context, color string) (string, error) {
	title("The maintainers of node publish their image in %s", color)
	const folder = "base-image-node"
	if err := d.paint(filepath.Join(d.dir, folder, "Dockerfile"), color); err != nil {
		return "", err
	}
	if err := d.drydock(ctx, "acr run -r %s -f acr-task.yaml --set REGISTRY_FROM_URL= %s", publicRegistry, folder); err != nil {
		return "", fmt.Errorf("publishing the %s image: %w", color, err)
	}
	return d.read(ctx, "acr repository show -n %s --image %s --query digest -o tsv", publicRegistry, images.Node)
}

// makeGate makes the team's task. It may pull from the public's registry, which
// asks for credentials.
func (d *demo) makeGate(ctx context.Context) error {
	title("The team makes a task of its gate: a git repository with a Dockerfile, a test and a task file")
	public := d.server.loginServer(publicRegistry)
	line := "acr task create -r %s -n %s -c file://%s -f acr-task.yaml --set REGISTRY_FROM_URL=%s/ --commit-trigger-enabled false --base-image-trigger-enabled false -o none"
	if err := d.drydock(ctx, line, teamRegistry, gate, filepath.Join(d.dir, gate), public); err != nil {
		return err
	}
	password, err := d.read(ctx, "acr credential show -n %s --query passwords[0].value -o tsv", publicRegistry)
	if err != nil {
		return err
	}
	return d.drydock(ctx, "acr task credential add -r %s -n %s --login-server %s -u %s -p %s -o none", teamRegistry, gate, public, publicRegistry, password)
}

// buildApplication runs the task of the application, on the base image that the
// team's registry has.
func (d *demo) buildApplication(ctx context.Context) error {
	if !d.real {
		return nil
	}
	title("The team builds hello-world on the node of its own registry, and looks at its page")
	err := d.drydock(ctx, "acr run -r %s -f acr-task.yaml --set REGISTRY_FROM_URL=%s/ hello-world", teamRegistry, d.server.loginServer(teamRegistry))
	if err != nil {
		return fmt.Errorf("building the application: %w", err)
	}
	return nil
}

// paint changes the colour of the public image, as its maintainers would.
func (*demo) paint(dockerfile, color string) error {
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return err
	}
	before, _, ok := strings.Cut(string(text), "ENV BACKGROUND_COLOR ")
	if !ok {
		return fmt.Errorf("%s has no colour", dockerfile)
	}
	return os.WriteFile(dockerfile, []byte(before+"ENV BACKGROUND_COLOR "+color+"\n"), 0o644)
}
