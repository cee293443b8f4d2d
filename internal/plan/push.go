package plan

import (
	"errors"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/drydockhq/drydock"
	"go.yaml.in/yaml/v3"
)

// checkPush gives the images of a push their tags and drops repeated ones.
func (t *task) checkPush(n *yaml.Node, s *drydock.Step) error {
	nodes, err := t.items(n, "push")
	if err != nil {
		return err
	}
	var images []string
	for i, image := range s.Push {
		image = withTag(strings.TrimSpace(image))
		if err := checkImage(image); err != nil {
			return err.At(nodes[i].Line, nodes[i].Column)
		}
		if !slices.Contains(images, image) {
			images = append(images, image)
		}
	}
	s.Push = images
	return nil
}

// withTag adds :latest to a name that has neither tag nor digest. The colon of
// a registry's port is none.
func withTag(image string) string {
	name := image[strings.LastIndexByte(image, '/')+1:]
	if image == "" || strings.ContainsAny(name, ":@") || strings.Contains(image, "@") {
		return image
	}
	return image + ":latest"
}

func checkImage(image string) *drydock.Error {
	_, err := reference.ParseNormalizedNamed(image)
	if err == nil {
		return nil
	}
	e := drydock.Errorf(drydock.Invalid, "%q can't be pushed: %w", image, err)
	switch {
	case image == "":
		e.Message = "`push` has an empty image"
	case strings.HasPrefix(image, "/"), strings.HasPrefix(image, ":"):
		e.Hint = "it begins with a value that is empty"
	case strings.HasSuffix(image, ":"):
		e.Hint = "its tag is a value that is empty"
	case errors.Is(err, reference.ErrNameContainsUppercase):
		e.Hint = "write the repository in lower case"
	case strings.ContainsRune(image, '$'):
		e.Hint = "`$name` is replaced only for aliases, and in version v1.1.0; use {{.Run.…}} or {{.Values.…}}"
	}
	return e
}
