package dockercmd

import "fmt"

// tag carries out `docker tag`.
func (k *call) tag(args []string) error {
	args, err := k.parse(k.flags(), args, 2, 2)
	if err != nil {
		return err
	}
	target, err := parseTarget(args[1])
	if err != nil {
		return fmt.Errorf("tagging %q: %w", args[0], err)
	}
	image, err := k.find(args[0])
	if err != nil {
		return err
	}
	return k.store.Tag(k.ctx, image.key, target.String())
}
