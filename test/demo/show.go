package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// show prints what is in the team's registry, and checks that it is what the
// tasks promise.
func (d *demo) show(ctx context.Context, green, red string) error {
	title("The team's runs, the newest first")
	if err := d.drydock(ctx, "acr task list-runs -r %s -o table", teamRegistry); err != nil {
		return err
	}
	title("What is in the team's registry")
	have, err := d.content(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		fmt.Printf("%-24s %s\n", name, have[name])
	}
	want := map[string]string{"node:15-alpine": green, "node:15-alpine-ca1": green}
	if d.real {
		// Built twice from the same things, it is the same image.
		want["hello-world:ca2"] = have["hello-world:ca2"]
		want["hello-world:ca4"] = have["hello-world:ca2"]
	}
	if !maps.Equal(have, want) {
		return fmt.Errorf("the team's registry should hold %v", want)
	}
	fmt.Printf(`
Green is there under both tags, with the digest that its maintainers gave it. Red,
which is what they publish now (%s),
is not: it failed in the step validate-base-image, so the steps that pull, tag and
push it never started. The image that was made for the test was not pushed either.
`, red)
	if d.real {
		fmt.Println("The application goes on with the last image that passed: its second build is its first, in Green.")
	}
	title("What to try next")
	fmt.Print(`The demo's server and all that it made go now. To have one that stays, and your own
images in it:

  make build && sudo install bin/drydockd bin/drydock /usr/local/bin/
  sudo drydockd serve --manage-hosts     # says how to sign in
  drydock acr build -r myregistry -t hello:v1 examples/hello

README.md goes on from there, and examples/gated-import has what you saw here.
`)
	return nil
}

// content returns the digests of all that the team's registry holds, by
// REPOSITORY:TAG.
func (d *demo) content(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	repositories, err := d.read(ctx, "acr repository list -n %s -o tsv", teamRegistry)
	if err != nil {
		return nil, err
	}
	for repository := range strings.FieldsSeq(repositories) {
		tags, err := d.read(ctx, "acr repository show-tags -n %s --repository %s --detail --query [].[name,digest] -o tsv", teamRegistry, repository)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(tags) {
			tag, digest, _ := strings.Cut(strings.TrimSpace(line), "\t")
			all[repository+":"+tag] = digest
		}
	}
	return all, nil
}
