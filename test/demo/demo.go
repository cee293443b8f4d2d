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

	"github.com/drydockhq/drydock/test/images"
	"github.com/drydockhq/drydock/test/registry"
)

// demo is the stage of the gated import.
type demo struct {
	drydockd string
	examples string
	dir      string // of what the demo makes

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
	title("Making node:15-alpine from what this machine has")
	return d, images.Push(ctx, d.hub.Host, images.Node+"=library/"+images.Node)
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

// play publishes a good base image and imports it, and then a bad one.
func (d *demo) play(ctx context.Context) error {
	green, err := d.publish(ctx, "Green")
	if err != nil {
		return err
	}
	if err := d.importImage(ctx, "green"); err != nil {
		return fmt.Errorf("importing the green image: %w", err)
	}
	red, err := d.publish(ctx, "Red")
	if err != nil {
		return err
	}
	err = d.importImage(ctx, "red")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		return fmt.Errorf("importing the red image ended with %v, want exit status 1", err)
	}
	return d.show(green, red)
}

// publish builds and pushes the public image in a colour and returns its
// digest.
func (d *demo) publish(ctx context.Context, color string) (string, error) {
	title("The public publishes node:15-alpine in %s", color)
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
	title("The team imports it, if it passes the test")
	return d.exec(ctx, "-r", d.team.Host, "--id", id, "--set", "REGISTRY_FROM_URL="+d.public.Host+"/",
		filepath.Join(d.examples, "import-baseimage-node"))
}

// exec runs drydockd as a user would.
func (d *demo) exec(ctx context.Context, args ...string) error {
	args = append([]string{"exec", "--data", filepath.Join(d.dir, "data"), "--mirror", "docker.io=" + d.hub.URL}, args...)
	fmt.Printf("$ drydockd %s\n", strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, d.drydockd, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd.Run()
}

// show prints what is in the team's registry, and checks that it is what the
// task promises.
func (d *demo) show(green, red string) error {
	title("What is in the team's registry")
	repositories, err := d.team.Repositories()
	if err != nil {
		return err
	}
	for _, repository := range repositories {
		tags, err := d.team.Tags(repository)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			digest, err := d.team.Digest(repository + ":" + tag)
			if err != nil {
				return err
			}
			fmt.Printf("%s/%s:%-20s %s\n", d.team.Host, repository, tag, digest)
			if repository != "node" || digest != green {
				return fmt.Errorf("the team's registry holds %s:%s at %s, which is not the green image", repository, tag, digest)
			}
		}
		if want := []string{"15-alpine", "15-alpine-green"}; strings.Join(tags, " ") != strings.Join(want, " ") {
			return fmt.Errorf("the team's registry has the tags %q, want %q", tags, want)
		}
	}
	if len(repositories) == 0 {
		return errors.New("the team's registry is empty")
	}
	fmt.Printf(`
Green is there under both tags, with the digest that the public gave it. Red, which
is what the public has now (%s), is not:
its test failed in the step validate-base-image, so the steps that pull, tag and
push it never started. The image made for the test was not pushed either.
`, red)
	return nil
}

func title(format string, args ...any) {
	fmt.Printf("\n\x1b[1m== "+format+"\x1b[0m\n", args...)
}
