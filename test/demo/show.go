package main

import (
	"fmt"
	"maps"
	"slices"
)

// show prints what is in the team's registry, and checks that it is what the
// tasks promise.
func (d *demo) show(green, red string) error {
	title("What is in the team's registry")
	have, err := d.content()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		fmt.Printf("%-24s %s\n", name, have[name])
	}
	want := map[string]string{"node:15-alpine": green, "node:15-alpine-green": green}
	if d.real {
		// Built twice from the same things, it is the same image.
		want["hello-world:one"] = have["hello-world:one"]
		want["hello-world:two"] = have["hello-world:one"]
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
	return nil
}

// content returns the digests of all that the team's registry holds, by
// REPOSITORY:TAG.
func (d *demo) content() (map[string]string, error) {
	all := map[string]string{}
	repositories, err := d.team.Repositories()
	if err != nil {
		return nil, err
	}
	for _, repository := range repositories {
		tags, err := d.team.Tags(repository)
		if err != nil {
			return nil, err
		}
		for _, tag := range tags {
			name := repository + ":" + tag
			if all[name], err = d.team.Digest(name); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}
