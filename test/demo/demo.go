package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/drydockhq/drydock/test/serve"
	"github.com/drydockhq/drydock/test/walkthrough"
)

// demo is a walkthrough for somebody who looks on.
type demo struct {
	dir  string // of what the demo makes
	out  io.Writer
	wait func(ctx context.Context) // until they have seen the page; nil for not at all

	page  string
	later []func() error // what is cleaned up, in the order of its making
}

// programs are those that the demo shows.
type programs struct{ drydockd, drydock string }

func open() (*demo, error) {
	// Not in /tmp, which may be in memory.
	dir, err := os.MkdirTemp("/var/tmp", "drydock-demo-")
	return &demo{dir: dir, out: io.Discard}, err
}

func (d *demo) close() error {
	var errs []error
	for _, f := range slices.Backward(d.later) {
		errs = append(errs, f())
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// play plays the walkthrough, and leaves its page there.
func (d *demo) play(ctx context.Context, p programs, example string) error {
	fmt.Fprint(d.out, `A server starts, on an empty folder, and what this needs beside it: git repositories and a
registry that plays Docker Hub. Its node:15-alpine is made from Debian's libraries and the
Node.js of npm, which takes a while the first time. drydock is used under the name az.
`)
	return d.with(ctx, func(t serve.TB) {
		stage := walkthrough.Set(t, walkthrough.Options{
			Program: p.drydockd, Az: p.drydock, Examples: example, Out: d.out,
			// A real git host would tell the server of pushes, but takes minutes to build.
			Git: walkthrough.Plain, Args: []string{"--sources-poll=1s"},
		})
		person := stage.Person("demo")
		script := walkthrough.Script{Path: filepath.Join(example, "walk.sh"), Env: []string{"NARRATE=1", "KEEP=1"}, Page: true}
		if _, err := stage.Play(ctx, script, person); err != nil {
			t.Fatal(err)
		}
		d.page = person.Page
		d.tell()
		if d.wait != nil {
			d.wait(ctx)
		}
	})
}

// tell says what there is to see.
func (d *demo) tell() {
	fmt.Fprintf(d.out, `
== What there is to see

The page of the team is at http://%s/ on this machine. It was blue, orange and green.
It never was red: that run of base-import-node failed in the step validate-base-image, so
nothing was tagged or pushed, and hello-world goes on with the last node that had passed.

Nobody has given a command for that but the pushes to git. All passwords were in the vault,
and each task has read those that its identity may read.

== What to try next

To have a server that stays, and your own images in it:

  make build && sudo install bin/drydockd bin/drydock /usr/local/bin/
  sudo drydockd serve --manage-hosts     # says how to sign in
  drydock acr build -r myregistry -t hello:v1 examples/hello

README.md goes on from there; %s has what you saw here.
To do the same with the Azure CLI as it is: make walkthrough, or docs/azure.md by hand.
`, d.page, "examples/public-content")
	if d.wait != nil {
		fmt.Fprintln(d.out, "\nEnter ends the demo, its server and the page.")
	}
}
