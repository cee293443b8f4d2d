package dockercmd

import (
	"errors"
	"fmt"
	"slices"
)

// rmi carries out `docker rmi`. All arguments are tried; the errors come
// together.
func (k *call) rmi(args []string) error {
	flags := k.flags()
	force := flags.BoolP("force", "f", false, "Force removal of the image")
	flags.Bool("no-prune", false, "Accepted without meaning: layers belong to the cache")
	args, err := k.parse(flags, args, 1, -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, arg := range args {
		err := k.remove(arg, *force)
		if *force && errors.Is(err, ErrNotFound) {
			k.errorf("Error: %s\n", err)
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// remove takes a name away, or an image with all its names.
func (k *call) remove(arg string, force bool) error {
	image, err := k.find(arg)
	if err != nil {
		return err
	}
	if !image.byName && len(image.Names) > 1 && !force {
		return fmt.Errorf("conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories", shortID(image.ID))
	}
	if err := k.store.Remove(k.ctx, image.key); err != nil {
		return err
	}
	gone := image.Names
	if image.byName {
		gone = []string{image.key}
	}
	for _, name := range gone {
		k.printf("Untagged: %s\n", familiar(name))
	}
	left := slices.DeleteFunc(slices.Clone(image.Names), func(n string) bool { return slices.Contains(gone, n) })
	if len(left) == 0 {
		k.printf("Deleted: %s\n", image.ID)
	}
	return nil
}
